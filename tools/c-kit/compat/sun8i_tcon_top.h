/* SPDX-License-Identifier: GPL-2.0-only */
/* What sun4i_tcon.c uses of sun8i_tcon_top.c, which is not written in C yet. */
#ifndef _SUN8I_TCON_TOP_H_
#define _SUN8I_TCON_TOP_H_

#include <linux/device.h>
#include <linux/mod_devicetable.h>

extern const struct of_device_id sun8i_tcon_top_of_table[];

int sun8i_tcon_top_set_hdmi_src(struct device *dev, int tcon);
int sun8i_tcon_top_de_config(struct device *dev, int mixer, int tcon);

#endif
