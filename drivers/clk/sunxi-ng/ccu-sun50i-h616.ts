// SPDX-License-Identifier: GPL-2.0-only
// The main clock unit of the Allwinner H616: gates and resets, by register.
// Linux 6.12: drivers/clk/sunxi-ng/ccu-sun50i-h616.c
//
// Left out: PLLs, bus dividers and multiplexers: the buses are fixed clocks at a usual rate, a gated clock that
// has a divider keeps the rate it is set to. Numbers without a gate are always-on dummies.

import { devm_platform_ioremap_resource } from '#drivers/base/platform.js';
import {
	type ccu_gate_desc,
	type sunxi_ccu_desc,
	sunxi_ccu_probe,
} from '#drivers/clk/sunxi-ng/ccu_common.js';
import type { ccu_reset_map } from '#drivers/clk/sunxi-ng/ccu_reset.js';
import * as clk from '#include/dt-bindings/clock/sun50i-h616-ccu.js';
import * as rst from '#include/dt-bindings/reset/sun50i-h616-ccu.js';
import { BIT } from '#linux/bits.js';
import { CLK_IS_CRITICAL } from '#linux/clk-provider.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import type { device_node } from '#linux/of_node.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { spinlock_t } from '#linux/spinlock.js';
import type { int } from '#linux/types.js';

const gates: readonly ccu_gate_desc[] = [
	{
		id: clk.CLK_MBUS,
		name: 'mbus',
		parent: 'osc24M',
		reg: 0x540,
		enable: BIT(31),
		flags: CLK_IS_CRITICAL,
		rate: 400000000,
	},
	{ id: clk.CLK_DE, name: 'de', parent: 'pll-de', reg: 0x600, enable: BIT(31), rate: 600000000 },
	{ id: clk.CLK_BUS_DE, name: 'bus-de', parent: 'psi-ahb1-ahb2', reg: 0x60c, enable: BIT(0) },
	{
		id: clk.CLK_DEINTERLACE,
		name: 'deinterlace',
		parent: 'pll-de',
		reg: 0x620,
		enable: BIT(31),
		rate: 300000000,
	},
	{
		id: clk.CLK_BUS_DEINTERLACE,
		name: 'bus-deinterlace',
		parent: 'psi-ahb1-ahb2',
		reg: 0x62c,
		enable: BIT(0),
	},
	{ id: clk.CLK_G2D, name: 'g2d', parent: 'pll-de', reg: 0x630, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_G2D, name: 'bus-g2d', parent: 'psi-ahb1-ahb2', reg: 0x63c, enable: BIT(0) },
	{ id: clk.CLK_GPU0, name: 'gpu0', parent: 'pll-gpu', reg: 0x670, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_GPU, name: 'bus-gpu', parent: 'psi-ahb1-ahb2', reg: 0x67c, enable: BIT(0) },
	{
		id: clk.CLK_GPU1,
		name: 'gpu1',
		parent: 'pll-periph0-2x',
		reg: 0x674,
		enable: BIT(31),
		flags: CLK_IS_CRITICAL,
		rate: 24000000,
	},
	{ id: clk.CLK_CE, name: 'ce', parent: 'osc24M', reg: 0x680, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_CE, name: 'bus-ce', parent: 'psi-ahb1-ahb2', reg: 0x68c, enable: BIT(0) },
	{ id: clk.CLK_VE, name: 've', parent: 'pll-ve', reg: 0x690, enable: BIT(31), rate: 300000000 },
	{ id: clk.CLK_BUS_VE, name: 'bus-ve', parent: 'psi-ahb1-ahb2', reg: 0x69c, enable: BIT(0) },
	{ id: clk.CLK_BUS_DMA, name: 'bus-dma', parent: 'psi-ahb1-ahb2', reg: 0x70c, enable: BIT(0) },
	{ id: clk.CLK_BUS_HSTIMER, name: 'bus-hstimer', parent: 'psi-ahb1-ahb2', reg: 0x73c, enable: BIT(0) },
	{ id: clk.CLK_AVS, name: 'avs', parent: 'osc24M', reg: 0x740, enable: BIT(31) },
	{ id: clk.CLK_BUS_DBG, name: 'bus-dbg', parent: 'psi-ahb1-ahb2', reg: 0x78c, enable: BIT(0) },
	{ id: clk.CLK_BUS_PSI, name: 'bus-psi', parent: 'psi-ahb1-ahb2', reg: 0x79c, enable: BIT(0) },
	{ id: clk.CLK_BUS_PWM, name: 'bus-pwm', parent: 'apb1', reg: 0x7ac, enable: BIT(0) },
	{ id: clk.CLK_BUS_IOMMU, name: 'bus-iommu', parent: 'apb1', reg: 0x7bc, enable: BIT(0) },
	{ id: clk.CLK_MBUS_DMA, name: 'mbus-dma', parent: 'mbus', reg: 0x804, enable: BIT(0) },
	{ id: clk.CLK_MBUS_VE, name: 'mbus-ve', parent: 'mbus', reg: 0x804, enable: BIT(1) },
	{ id: clk.CLK_MBUS_CE, name: 'mbus-ce', parent: 'mbus', reg: 0x804, enable: BIT(2) },
	{ id: clk.CLK_MBUS_TS, name: 'mbus-ts', parent: 'mbus', reg: 0x804, enable: BIT(3) },
	{ id: clk.CLK_MBUS_NAND, name: 'mbus-nand', parent: 'mbus', reg: 0x804, enable: BIT(5) },
	{ id: clk.CLK_MBUS_G2D, name: 'mbus-g2d', parent: 'mbus', reg: 0x804, enable: BIT(10) },
	{
		id: clk.CLK_BUS_DRAM,
		name: 'bus-dram',
		parent: 'psi-ahb1-ahb2',
		reg: 0x80c,
		enable: BIT(0),
		flags: CLK_IS_CRITICAL,
	},
	{ id: clk.CLK_NAND0, name: 'nand0', parent: 'osc24M', reg: 0x810, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_NAND1, name: 'nand1', parent: 'osc24M', reg: 0x814, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_NAND, name: 'bus-nand', parent: 'ahb3', reg: 0x82c, enable: BIT(0) },
	{ id: clk.CLK_MMC0, name: 'mmc0', parent: 'osc24M', reg: 0x830, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_MMC1, name: 'mmc1', parent: 'osc24M', reg: 0x834, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_MMC2, name: 'mmc2', parent: 'osc24M', reg: 0x838, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_MMC0, name: 'bus-mmc0', parent: 'ahb3', reg: 0x84c, enable: BIT(0) },
	{ id: clk.CLK_BUS_MMC1, name: 'bus-mmc1', parent: 'ahb3', reg: 0x84c, enable: BIT(1) },
	{ id: clk.CLK_BUS_MMC2, name: 'bus-mmc2', parent: 'ahb3', reg: 0x84c, enable: BIT(2) },
	{ id: clk.CLK_BUS_UART0, name: 'bus-uart0', parent: 'apb2', reg: 0x90c, enable: BIT(0) },
	{ id: clk.CLK_BUS_UART1, name: 'bus-uart1', parent: 'apb2', reg: 0x90c, enable: BIT(1) },
	{ id: clk.CLK_BUS_UART2, name: 'bus-uart2', parent: 'apb2', reg: 0x90c, enable: BIT(2) },
	{ id: clk.CLK_BUS_UART3, name: 'bus-uart3', parent: 'apb2', reg: 0x90c, enable: BIT(3) },
	{ id: clk.CLK_BUS_UART4, name: 'bus-uart4', parent: 'apb2', reg: 0x90c, enable: BIT(4) },
	{ id: clk.CLK_BUS_UART5, name: 'bus-uart5', parent: 'apb2', reg: 0x90c, enable: BIT(5) },
	{ id: clk.CLK_BUS_I2C0, name: 'bus-i2c0', parent: 'apb2', reg: 0x91c, enable: BIT(0) },
	{ id: clk.CLK_BUS_I2C1, name: 'bus-i2c1', parent: 'apb2', reg: 0x91c, enable: BIT(1) },
	{ id: clk.CLK_BUS_I2C2, name: 'bus-i2c2', parent: 'apb2', reg: 0x91c, enable: BIT(2) },
	{ id: clk.CLK_BUS_I2C3, name: 'bus-i2c3', parent: 'apb2', reg: 0x91c, enable: BIT(3) },
	{ id: clk.CLK_BUS_I2C4, name: 'bus-i2c4', parent: 'apb2', reg: 0x91c, enable: BIT(4) },
	{ id: clk.CLK_SPI0, name: 'spi0', parent: 'osc24M', reg: 0x940, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_SPI1, name: 'spi1', parent: 'osc24M', reg: 0x944, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_SPI0, name: 'bus-spi0', parent: 'ahb3', reg: 0x96c, enable: BIT(0) },
	{ id: clk.CLK_BUS_SPI1, name: 'bus-spi1', parent: 'ahb3', reg: 0x96c, enable: BIT(1) },
	{ id: clk.CLK_EMAC_25M, name: 'emac-25m', parent: 'ahb3', reg: 0x970, enable: (BIT(31) | BIT(30)) >>> 0 },
	{ id: clk.CLK_BUS_EMAC0, name: 'bus-emac0', parent: 'ahb3', reg: 0x97c, enable: BIT(0) },
	{ id: clk.CLK_BUS_EMAC1, name: 'bus-emac1', parent: 'ahb3', reg: 0x97c, enable: BIT(1) },
	{ id: clk.CLK_TS, name: 'ts', parent: 'osc24M', reg: 0x9b0, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_TS, name: 'bus-ts', parent: 'ahb3', reg: 0x9bc, enable: BIT(0) },
	{ id: clk.CLK_BUS_THS, name: 'bus-ths', parent: 'apb1', reg: 0x9fc, enable: BIT(0) },
	{ id: clk.CLK_BUS_SPDIF, name: 'bus-spdif', parent: 'apb1', reg: 0xa2c, enable: BIT(0) },
	{ id: clk.CLK_BUS_DMIC, name: 'bus-dmic', parent: 'apb1', reg: 0xa4c, enable: BIT(0) },
	{
		id: clk.CLK_AUDIO_CODEC_1X,
		name: 'audio-codec-1x',
		parent: 'pll-audio-1x',
		reg: 0xa50,
		enable: BIT(31),
		rate: 24000000,
	},
	{
		id: clk.CLK_AUDIO_CODEC_4X,
		name: 'audio-codec-4x',
		parent: 'pll-audio-1x',
		reg: 0xa54,
		enable: BIT(31),
		rate: 24000000,
	},
	{ id: clk.CLK_BUS_AUDIO_CODEC, name: 'bus-audio-codec', parent: 'apb1', reg: 0xa5c, enable: BIT(0) },
	{ id: clk.CLK_BUS_AUDIO_HUB, name: 'bus-audio-hub', parent: 'apb1', reg: 0xa6c, enable: BIT(0) },
	{ id: clk.CLK_USB_OHCI0, name: 'usb-ohci0', parent: 'osc12M', reg: 0xa70, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY0, name: 'usb-phy0', parent: 'osc24M', reg: 0xa70, enable: BIT(29) },
	{ id: clk.CLK_USB_OHCI1, name: 'usb-ohci1', parent: 'osc12M', reg: 0xa74, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY1, name: 'usb-phy1', parent: 'osc24M', reg: 0xa74, enable: BIT(29) },
	{ id: clk.CLK_USB_OHCI2, name: 'usb-ohci2', parent: 'osc12M', reg: 0xa78, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY2, name: 'usb-phy2', parent: 'osc24M', reg: 0xa78, enable: BIT(29) },
	{ id: clk.CLK_USB_OHCI3, name: 'usb-ohci3', parent: 'osc12M', reg: 0xa7c, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY3, name: 'usb-phy3', parent: 'osc24M', reg: 0xa7c, enable: BIT(29) },
	{ id: clk.CLK_BUS_OHCI0, name: 'bus-ohci0', parent: 'ahb3', reg: 0xa8c, enable: BIT(0) },
	{ id: clk.CLK_BUS_OHCI1, name: 'bus-ohci1', parent: 'ahb3', reg: 0xa8c, enable: BIT(1) },
	{ id: clk.CLK_BUS_OHCI2, name: 'bus-ohci2', parent: 'ahb3', reg: 0xa8c, enable: BIT(2) },
	{ id: clk.CLK_BUS_OHCI3, name: 'bus-ohci3', parent: 'ahb3', reg: 0xa8c, enable: BIT(3) },
	{ id: clk.CLK_BUS_EHCI0, name: 'bus-ehci0', parent: 'ahb3', reg: 0xa8c, enable: BIT(4) },
	{ id: clk.CLK_BUS_EHCI1, name: 'bus-ehci1', parent: 'ahb3', reg: 0xa8c, enable: BIT(5) },
	{ id: clk.CLK_BUS_EHCI2, name: 'bus-ehci2', parent: 'ahb3', reg: 0xa8c, enable: BIT(6) },
	{ id: clk.CLK_BUS_EHCI3, name: 'bus-ehci3', parent: 'ahb3', reg: 0xa8c, enable: BIT(7) },
	{ id: clk.CLK_BUS_OTG, name: 'bus-otg', parent: 'ahb3', reg: 0xa8c, enable: BIT(8) },
	{ id: clk.CLK_BUS_KEYADC, name: 'bus-keyadc', parent: 'apb1', reg: 0xa9c, enable: BIT(0) },
	{ id: clk.CLK_HDMI, name: 'hdmi', parent: 'pll-video0', reg: 0xb00, enable: BIT(31), rate: 148500000 },
	{ id: clk.CLK_HDMI_SLOW, name: 'hdmi-slow', parent: 'osc24M', reg: 0xb04, enable: BIT(31) },
	{ id: clk.CLK_BUS_HDMI, name: 'bus-hdmi', parent: 'ahb3', reg: 0xb1c, enable: BIT(0) },
	{ id: clk.CLK_BUS_TCON_TOP, name: 'bus-tcon-top', parent: 'ahb3', reg: 0xb5c, enable: BIT(0) },
	{
		id: clk.CLK_TCON_TV0,
		name: 'tcon-tv0',
		parent: 'pll-video0',
		reg: 0xb80,
		enable: BIT(31),
		rate: 148500000,
	},
	{
		id: clk.CLK_TCON_TV1,
		name: 'tcon-tv1',
		parent: 'pll-video0',
		reg: 0xb84,
		enable: BIT(31),
		rate: 148500000,
	},
	{ id: clk.CLK_BUS_TCON_TV0, name: 'bus-tcon-tv0', parent: 'ahb3', reg: 0xb9c, enable: BIT(0) },
	{ id: clk.CLK_BUS_TCON_TV1, name: 'bus-tcon-tv1', parent: 'ahb3', reg: 0xb9c, enable: BIT(1) },
	{ id: clk.CLK_TVE0, name: 'tve0', parent: 'pll-video0', reg: 0xbb0, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_TVE_TOP, name: 'bus-tve-top', parent: 'ahb3', reg: 0xbbc, enable: BIT(0) },
	{ id: clk.CLK_BUS_TVE0, name: 'bus-tve0', parent: 'ahb3', reg: 0xbbc, enable: BIT(1) },
	{ id: clk.CLK_HDCP, name: 'hdcp', parent: 'pll-periph0', reg: 0xc40, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_HDCP, name: 'bus-hdcp', parent: 'ahb3', reg: 0xc4c, enable: BIT(0) },
	{ id: clk.CLK_BUS_GPADC, name: 'bus-gpadc', parent: 'apb1', reg: 0x9ec, enable: BIT(0) },
];

const fixed: sunxi_ccu_desc['fixed'] = [
	{ id: clk.CLK_AHB3, name: 'ahb3', rate: 200000000 },
	{ id: clk.CLK_APB1, name: 'apb1', rate: 100000000 },
	{ id: clk.CLK_APB2, name: 'apb2', rate: 24000000 },
	{ id: clk.CLK_OSC12M, name: 'osc12M', rate: 12000000 },
	{ id: clk.CLK_PLL_AUDIO_1X, name: 'pll-audio-1x', rate: 600000000 },
	{ id: clk.CLK_PLL_DE, name: 'pll-de', rate: 600000000 },
	{ id: clk.CLK_PLL_GPU, name: 'pll-gpu', rate: 600000000 },
	{ id: clk.CLK_PLL_PERIPH0, name: 'pll-periph0', rate: 600000000 },
	{ id: clk.CLK_PLL_PERIPH0_2X, name: 'pll-periph0-2x', rate: 600000000 },
	{ id: clk.CLK_PLL_VE, name: 'pll-ve', rate: 600000000 },
	{ id: clk.CLK_PLL_VIDEO0, name: 'pll-video0', rate: 600000000 },
	{ id: clk.CLK_PSI_AHB1_AHB2, name: 'psi-ahb1-ahb2', rate: 200000000 },
];

const resets: (ccu_reset_map | undefined)[] = [];
resets[rst.RST_MBUS] = { reg: 0x540, bit: BIT(30) };
resets[rst.RST_BUS_DE] = { reg: 0x60c, bit: BIT(16) };
resets[rst.RST_BUS_DEINTERLACE] = { reg: 0x62c, bit: BIT(16) };
resets[rst.RST_BUS_GPU] = { reg: 0x67c, bit: BIT(16) };
resets[rst.RST_BUS_CE] = { reg: 0x68c, bit: BIT(16) };
resets[rst.RST_BUS_VE] = { reg: 0x69c, bit: BIT(16) };
resets[rst.RST_BUS_DMA] = { reg: 0x70c, bit: BIT(16) };
resets[rst.RST_BUS_HSTIMER] = { reg: 0x73c, bit: BIT(16) };
resets[rst.RST_BUS_DBG] = { reg: 0x78c, bit: BIT(16) };
resets[rst.RST_BUS_PSI] = { reg: 0x79c, bit: BIT(16) };
resets[rst.RST_BUS_PWM] = { reg: 0x7ac, bit: BIT(16) };
resets[rst.RST_BUS_IOMMU] = { reg: 0x7bc, bit: BIT(16) };
resets[rst.RST_BUS_DRAM] = { reg: 0x80c, bit: BIT(16) };
resets[rst.RST_BUS_NAND] = { reg: 0x82c, bit: BIT(16) };
resets[rst.RST_BUS_MMC0] = { reg: 0x84c, bit: BIT(16) };
resets[rst.RST_BUS_MMC1] = { reg: 0x84c, bit: BIT(17) };
resets[rst.RST_BUS_MMC2] = { reg: 0x84c, bit: BIT(18) };
resets[rst.RST_BUS_UART0] = { reg: 0x90c, bit: BIT(16) };
resets[rst.RST_BUS_UART1] = { reg: 0x90c, bit: BIT(17) };
resets[rst.RST_BUS_UART2] = { reg: 0x90c, bit: BIT(18) };
resets[rst.RST_BUS_UART3] = { reg: 0x90c, bit: BIT(19) };
resets[rst.RST_BUS_UART4] = { reg: 0x90c, bit: BIT(20) };
resets[rst.RST_BUS_UART5] = { reg: 0x90c, bit: BIT(21) };
resets[rst.RST_BUS_I2C0] = { reg: 0x91c, bit: BIT(16) };
resets[rst.RST_BUS_I2C1] = { reg: 0x91c, bit: BIT(17) };
resets[rst.RST_BUS_I2C2] = { reg: 0x91c, bit: BIT(18) };
resets[rst.RST_BUS_I2C3] = { reg: 0x91c, bit: BIT(19) };
resets[rst.RST_BUS_I2C4] = { reg: 0x91c, bit: BIT(20) };
resets[rst.RST_BUS_SPI0] = { reg: 0x96c, bit: BIT(16) };
resets[rst.RST_BUS_SPI1] = { reg: 0x96c, bit: BIT(17) };
resets[rst.RST_BUS_EMAC0] = { reg: 0x97c, bit: BIT(16) };
resets[rst.RST_BUS_EMAC1] = { reg: 0x97c, bit: BIT(17) };
resets[rst.RST_BUS_TS] = { reg: 0x9bc, bit: BIT(16) };
resets[rst.RST_BUS_THS] = { reg: 0x9fc, bit: BIT(16) };
resets[rst.RST_BUS_SPDIF] = { reg: 0xa2c, bit: BIT(16) };
resets[rst.RST_BUS_DMIC] = { reg: 0xa4c, bit: BIT(16) };
resets[rst.RST_BUS_AUDIO_CODEC] = { reg: 0xa5c, bit: BIT(16) };
resets[rst.RST_BUS_AUDIO_HUB] = { reg: 0xa6c, bit: BIT(16) };
resets[rst.RST_USB_PHY0] = { reg: 0xa70, bit: BIT(30) };
resets[rst.RST_USB_PHY1] = { reg: 0xa74, bit: BIT(30) };
resets[rst.RST_USB_PHY2] = { reg: 0xa78, bit: BIT(30) };
resets[rst.RST_USB_PHY3] = { reg: 0xa7c, bit: BIT(30) };
resets[rst.RST_BUS_OHCI0] = { reg: 0xa8c, bit: BIT(16) };
resets[rst.RST_BUS_OHCI1] = { reg: 0xa8c, bit: BIT(17) };
resets[rst.RST_BUS_OHCI2] = { reg: 0xa8c, bit: BIT(18) };
resets[rst.RST_BUS_OHCI3] = { reg: 0xa8c, bit: BIT(19) };
resets[rst.RST_BUS_EHCI0] = { reg: 0xa8c, bit: BIT(20) };
resets[rst.RST_BUS_EHCI1] = { reg: 0xa8c, bit: BIT(21) };
resets[rst.RST_BUS_EHCI2] = { reg: 0xa8c, bit: BIT(22) };
resets[rst.RST_BUS_EHCI3] = { reg: 0xa8c, bit: BIT(23) };
resets[rst.RST_BUS_OTG] = { reg: 0xa8c, bit: BIT(24) };
resets[rst.RST_BUS_HDMI] = { reg: 0xb1c, bit: BIT(16) };
resets[rst.RST_BUS_HDMI_SUB] = { reg: 0xb1c, bit: BIT(17) };
resets[rst.RST_BUS_TCON_TOP] = { reg: 0xb5c, bit: BIT(16) };
resets[rst.RST_BUS_TCON_TV0] = { reg: 0xb9c, bit: BIT(16) };
resets[rst.RST_BUS_TCON_TV1] = { reg: 0xb9c, bit: BIT(17) };
resets[rst.RST_BUS_TVE_TOP] = { reg: 0xbbc, bit: BIT(16) };
resets[rst.RST_BUS_TVE0] = { reg: 0xbbc, bit: BIT(17) };
resets[rst.RST_BUS_HDCP] = { reg: 0xc4c, bit: BIT(16) };
resets[rst.RST_BUS_KEYADC] = { reg: 0xa9c, bit: BIT(16) };
resets[rst.RST_BUS_GPADC] = { reg: 0x9ec, bit: BIT(16) };

const sun50i_h616_ccu_desc: sunxi_ccu_desc = { gates, resets, fixed, num: 130 };

function sun50i_h616_ccu_probe(pdev: platform_device): int {
	const reg = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(reg)) return PTR_ERR(reg);
	const lock = new spinlock_t('sun50i-h616-ccu');
	return sunxi_ccu_probe(pdev.dev, pdev.dev.of_node as device_node, reg, lock, sun50i_h616_ccu_desc);
}

const sun50i_h616_ccu_ids: readonly of_device_id[] = [{ compatible: 'allwinner,sun50i-h616-ccu' }];

const sun50i_h616_ccu_driver = new platform_driver({
	probe: sun50i_h616_ccu_probe,
	driver: { name: 'sun50i-h616-ccu', suppress_bind_attrs: true, of_match_table: sun50i_h616_ccu_ids },
});
module_platform_driver(sun50i_h616_ccu_driver);
