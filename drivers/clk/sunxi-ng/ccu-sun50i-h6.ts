// SPDX-License-Identifier: GPL-2.0-only
// The main clock unit of the Allwinner H6: gates and resets at their registers.
// Linux 6.12: drivers/clk/sunxi-ng/ccu-sun50i-h6.c
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
import * as clk from '#include/dt-bindings/clock/sun50i-h6-ccu.js';
import * as rst from '#include/dt-bindings/reset/sun50i-h6-ccu.js';
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
		parent: 'pll-periph0',
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
	{ id: clk.CLK_GPU, name: 'gpu', parent: 'pll-gpu', reg: 0x670, enable: BIT(31), rate: 432000000 },
	{ id: clk.CLK_BUS_GPU, name: 'bus-gpu', parent: 'psi-ahb1-ahb2', reg: 0x67c, enable: BIT(0) },
	{ id: clk.CLK_CE, name: 'ce', parent: 'osc24M', reg: 0x680, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_CE, name: 'bus-ce', parent: 'psi-ahb1-ahb2', reg: 0x68c, enable: BIT(0) },
	{ id: clk.CLK_VE, name: 've', parent: 'pll-ve', reg: 0x690, enable: BIT(31), rate: 300000000 },
	{ id: clk.CLK_BUS_VE, name: 'bus-ve', parent: 'psi-ahb1-ahb2', reg: 0x69c, enable: BIT(0) },
	{ id: clk.CLK_EMCE, name: 'emce', parent: 'osc24M', reg: 0x6b0, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_EMCE, name: 'bus-emce', parent: 'psi-ahb1-ahb2', reg: 0x6bc, enable: BIT(0) },
	{ id: clk.CLK_VP9, name: 'vp9', parent: 'pll-ve', reg: 0x6c0, enable: BIT(31), rate: 300000000 },
	{ id: clk.CLK_BUS_VP9, name: 'bus-vp9', parent: 'psi-ahb1-ahb2', reg: 0x6cc, enable: BIT(0) },
	{ id: clk.CLK_BUS_DMA, name: 'bus-dma', parent: 'psi-ahb1-ahb2', reg: 0x70c, enable: BIT(0) },
	{ id: clk.CLK_BUS_MSGBOX, name: 'bus-msgbox', parent: 'psi-ahb1-ahb2', reg: 0x71c, enable: BIT(0) },
	{ id: clk.CLK_BUS_SPINLOCK, name: 'bus-spinlock', parent: 'psi-ahb1-ahb2', reg: 0x72c, enable: BIT(0) },
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
	{ id: clk.CLK_MBUS_CSI, name: 'mbus-csi', parent: 'mbus', reg: 0x804, enable: BIT(8) },
	{ id: clk.CLK_MBUS_DEINTERLACE, name: 'mbus-deinterlace', parent: 'mbus', reg: 0x804, enable: BIT(11) },
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
	{ id: clk.CLK_BUS_I2C0, name: 'bus-i2c0', parent: 'apb2', reg: 0x91c, enable: BIT(0) },
	{ id: clk.CLK_BUS_I2C1, name: 'bus-i2c1', parent: 'apb2', reg: 0x91c, enable: BIT(1) },
	{ id: clk.CLK_BUS_I2C2, name: 'bus-i2c2', parent: 'apb2', reg: 0x91c, enable: BIT(2) },
	{ id: clk.CLK_BUS_I2C3, name: 'bus-i2c3', parent: 'apb2', reg: 0x91c, enable: BIT(3) },
	{ id: clk.CLK_BUS_SCR0, name: 'bus-scr0', parent: 'apb2', reg: 0x93c, enable: BIT(0) },
	{ id: clk.CLK_BUS_SCR1, name: 'bus-scr1', parent: 'apb2', reg: 0x93c, enable: BIT(1) },
	{ id: clk.CLK_SPI0, name: 'spi0', parent: 'osc24M', reg: 0x940, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_SPI1, name: 'spi1', parent: 'osc24M', reg: 0x944, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_SPI0, name: 'bus-spi0', parent: 'ahb3', reg: 0x96c, enable: BIT(0) },
	{ id: clk.CLK_BUS_SPI1, name: 'bus-spi1', parent: 'ahb3', reg: 0x96c, enable: BIT(1) },
	{ id: clk.CLK_BUS_EMAC, name: 'bus-emac', parent: 'ahb3', reg: 0x97c, enable: BIT(0) },
	{ id: clk.CLK_TS, name: 'ts', parent: 'osc24M', reg: 0x9b0, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_TS, name: 'bus-ts', parent: 'ahb3', reg: 0x9bc, enable: BIT(0) },
	{ id: clk.CLK_IR_TX, name: 'ir-tx', parent: 'osc32k', reg: 0x9c0, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_IR_TX, name: 'bus-ir-tx', parent: 'apb1', reg: 0x9cc, enable: BIT(0) },
	{ id: clk.CLK_BUS_THS, name: 'bus-ths', parent: 'apb1', reg: 0x9fc, enable: BIT(0) },
	{ id: clk.CLK_BUS_I2S0, name: 'bus-i2s0', parent: 'apb1', reg: 0xa1c, enable: BIT(0) },
	{ id: clk.CLK_BUS_I2S1, name: 'bus-i2s1', parent: 'apb1', reg: 0xa1c, enable: BIT(1) },
	{ id: clk.CLK_BUS_I2S2, name: 'bus-i2s2', parent: 'apb1', reg: 0xa1c, enable: BIT(2) },
	{ id: clk.CLK_BUS_I2S3, name: 'bus-i2s3', parent: 'apb1', reg: 0xa1c, enable: BIT(3) },
	{ id: clk.CLK_BUS_SPDIF, name: 'bus-spdif', parent: 'apb1', reg: 0xa2c, enable: BIT(0) },
	{ id: clk.CLK_BUS_DMIC, name: 'bus-dmic', parent: 'apb1', reg: 0xa4c, enable: BIT(0) },
	{ id: clk.CLK_BUS_AUDIO_HUB, name: 'bus-audio-hub', parent: 'apb1', reg: 0xa6c, enable: BIT(0) },
	{ id: clk.CLK_USB_OHCI0, name: 'usb-ohci0', parent: 'osc12M', reg: 0xa70, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY0, name: 'usb-phy0', parent: 'osc24M', reg: 0xa70, enable: BIT(29) },
	{ id: clk.CLK_USB_PHY1, name: 'usb-phy1', parent: 'osc24M', reg: 0xa74, enable: BIT(29) },
	{ id: clk.CLK_USB_OHCI3, name: 'usb-ohci3', parent: 'osc12M', reg: 0xa7c, enable: BIT(31) },
	{ id: clk.CLK_USB_PHY3, name: 'usb-phy3', parent: 'osc12M', reg: 0xa7c, enable: BIT(29) },
	{ id: clk.CLK_USB_HSIC_12M, name: 'usb-hsic-12M', parent: 'osc12M', reg: 0xa7c, enable: BIT(27) },
	{ id: clk.CLK_USB_HSIC, name: 'usb-hsic', parent: 'pll-hsic', reg: 0xa7c, enable: BIT(26) },
	{ id: clk.CLK_BUS_OHCI0, name: 'bus-ohci0', parent: 'ahb3', reg: 0xa8c, enable: BIT(0) },
	{ id: clk.CLK_BUS_OHCI3, name: 'bus-ohci3', parent: 'ahb3', reg: 0xa8c, enable: BIT(3) },
	{ id: clk.CLK_BUS_EHCI0, name: 'bus-ehci0', parent: 'ahb3', reg: 0xa8c, enable: BIT(4) },
	{ id: clk.CLK_BUS_XHCI, name: 'bus-xhci', parent: 'ahb3', reg: 0xa8c, enable: BIT(5) },
	{ id: clk.CLK_BUS_EHCI3, name: 'bus-ehci3', parent: 'ahb3', reg: 0xa8c, enable: BIT(7) },
	{ id: clk.CLK_BUS_OTG, name: 'bus-otg', parent: 'ahb3', reg: 0xa8c, enable: BIT(8) },
	{ id: clk.CLK_PCIE_REF, name: 'pcie-ref', parent: 'pcie-ref-100M', reg: 0xab0, enable: BIT(31) },
	{ id: clk.CLK_PCIE_REF_OUT, name: 'pcie-ref-out', parent: 'pcie-ref', reg: 0xab0, enable: BIT(30) },
	{
		id: clk.CLK_PCIE_MAXI,
		name: 'pcie-maxi',
		parent: 'pll-periph0',
		reg: 0xab4,
		enable: BIT(31),
		rate: 24000000,
	},
	{ id: clk.CLK_PCIE_AUX, name: 'pcie-aux', parent: 'osc24M', reg: 0xab8, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_PCIE, name: 'bus-pcie', parent: 'psi-ahb1-ahb2', reg: 0xabc, enable: BIT(0) },
	{ id: clk.CLK_HDMI, name: 'hdmi', parent: 'pll-video0', reg: 0xb00, enable: BIT(31), rate: 148500000 },
	{ id: clk.CLK_HDMI_SLOW, name: 'hdmi-slow', parent: 'osc24M', reg: 0xb04, enable: BIT(31) },
	{ id: clk.CLK_BUS_HDMI, name: 'bus-hdmi', parent: 'ahb3', reg: 0xb1c, enable: BIT(0) },
	{ id: clk.CLK_BUS_TCON_TOP, name: 'bus-tcon-top', parent: 'ahb3', reg: 0xb5c, enable: BIT(0) },
	{
		id: clk.CLK_TCON_LCD0,
		name: 'tcon-lcd0',
		parent: 'pll-video0',
		reg: 0xb60,
		enable: BIT(31),
		rate: 24000000,
	},
	{ id: clk.CLK_BUS_TCON_LCD0, name: 'bus-tcon-lcd0', parent: 'ahb3', reg: 0xb7c, enable: BIT(0) },
	{
		id: clk.CLK_TCON_TV0,
		name: 'tcon-tv0',
		parent: 'pll-video0',
		reg: 0xb80,
		enable: BIT(31),
		rate: 148500000,
	},
	{ id: clk.CLK_BUS_TCON_TV0, name: 'bus-tcon-tv0', parent: 'ahb3', reg: 0xb9c, enable: BIT(0) },
	{ id: clk.CLK_CSI_CCI, name: 'csi-cci', parent: 'osc24M', reg: 0xc00, enable: BIT(0) },
	{ id: clk.CLK_CSI_TOP, name: 'csi-top', parent: 'pll-video0', reg: 0xc04, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_CSI_MCLK, name: 'csi-mclk', parent: 'osc24M', reg: 0xc08, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_CSI, name: 'bus-csi', parent: 'ahb3', reg: 0xc2c, enable: BIT(0) },
	{ id: clk.CLK_HDCP, name: 'hdcp', parent: 'pll-periph0', reg: 0xc40, enable: BIT(31), rate: 24000000 },
	{ id: clk.CLK_BUS_HDCP, name: 'bus-hdcp', parent: 'ahb3', reg: 0xc4c, enable: BIT(0) },
];

const fixed: sunxi_ccu_desc['fixed'] = [
	{ id: clk.CLK_AHB3, name: 'ahb3', rate: 200000000 },
	{ id: clk.CLK_APB1, name: 'apb1', rate: 100000000 },
	{ id: clk.CLK_APB2, name: 'apb2', rate: 24000000 },
	{ id: clk.CLK_OSC12M, name: 'osc12M', rate: 12000000 },
	{ id: Infinity, name: 'osc32k', rate: 32768 },
	{ id: clk.CLK_PCIE_REF_100M, name: 'pcie-ref-100M', rate: 100000000 },
	{ id: clk.CLK_PLL_DE, name: 'pll-de', rate: 600000000 },
	{ id: clk.CLK_PLL_GPU, name: 'pll-gpu', rate: 600000000 },
	{ id: clk.CLK_PLL_HSIC, name: 'pll-hsic', rate: 480000000 },
	{ id: clk.CLK_PLL_PERIPH0, name: 'pll-periph0', rate: 600000000 },
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
resets[rst.RST_BUS_EMCE] = { reg: 0x6bc, bit: BIT(16) };
resets[rst.RST_BUS_VP9] = { reg: 0x6cc, bit: BIT(16) };
resets[rst.RST_BUS_DMA] = { reg: 0x70c, bit: BIT(16) };
resets[rst.RST_BUS_MSGBOX] = { reg: 0x71c, bit: BIT(16) };
resets[rst.RST_BUS_SPINLOCK] = { reg: 0x72c, bit: BIT(16) };
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
resets[rst.RST_BUS_I2C0] = { reg: 0x91c, bit: BIT(16) };
resets[rst.RST_BUS_I2C1] = { reg: 0x91c, bit: BIT(17) };
resets[rst.RST_BUS_I2C2] = { reg: 0x91c, bit: BIT(18) };
resets[rst.RST_BUS_I2C3] = { reg: 0x91c, bit: BIT(19) };
resets[rst.RST_BUS_SCR0] = { reg: 0x93c, bit: BIT(16) };
resets[rst.RST_BUS_SCR1] = { reg: 0x93c, bit: BIT(17) };
resets[rst.RST_BUS_SPI0] = { reg: 0x96c, bit: BIT(16) };
resets[rst.RST_BUS_SPI1] = { reg: 0x96c, bit: BIT(17) };
resets[rst.RST_BUS_EMAC] = { reg: 0x97c, bit: BIT(16) };
resets[rst.RST_BUS_TS] = { reg: 0x9bc, bit: BIT(16) };
resets[rst.RST_BUS_IR_TX] = { reg: 0x9cc, bit: BIT(16) };
resets[rst.RST_BUS_THS] = { reg: 0x9fc, bit: BIT(16) };
resets[rst.RST_BUS_I2S0] = { reg: 0xa1c, bit: BIT(16) };
resets[rst.RST_BUS_I2S1] = { reg: 0xa1c, bit: BIT(17) };
resets[rst.RST_BUS_I2S2] = { reg: 0xa1c, bit: BIT(18) };
resets[rst.RST_BUS_I2S3] = { reg: 0xa1c, bit: BIT(19) };
resets[rst.RST_BUS_SPDIF] = { reg: 0xa2c, bit: BIT(16) };
resets[rst.RST_BUS_DMIC] = { reg: 0xa4c, bit: BIT(16) };
resets[rst.RST_BUS_AUDIO_HUB] = { reg: 0xa6c, bit: BIT(16) };
resets[rst.RST_USB_PHY0] = { reg: 0xa70, bit: BIT(30) };
resets[rst.RST_USB_PHY1] = { reg: 0xa74, bit: BIT(30) };
resets[rst.RST_USB_PHY3] = { reg: 0xa7c, bit: BIT(30) };
resets[rst.RST_USB_HSIC] = { reg: 0xa7c, bit: BIT(28) };
resets[rst.RST_BUS_OHCI0] = { reg: 0xa8c, bit: BIT(16) };
resets[rst.RST_BUS_OHCI3] = { reg: 0xa8c, bit: BIT(19) };
resets[rst.RST_BUS_EHCI0] = { reg: 0xa8c, bit: BIT(20) };
resets[rst.RST_BUS_XHCI] = { reg: 0xa8c, bit: BIT(21) };
resets[rst.RST_BUS_EHCI3] = { reg: 0xa8c, bit: BIT(23) };
resets[rst.RST_BUS_OTG] = { reg: 0xa8c, bit: BIT(24) };
resets[rst.RST_BUS_PCIE] = { reg: 0xabc, bit: BIT(16) };
resets[rst.RST_PCIE_POWERUP] = { reg: 0xabc, bit: BIT(17) };
resets[rst.RST_BUS_HDMI] = { reg: 0xb1c, bit: BIT(16) };
resets[rst.RST_BUS_HDMI_SUB] = { reg: 0xb1c, bit: BIT(17) };
resets[rst.RST_BUS_TCON_TOP] = { reg: 0xb5c, bit: BIT(16) };
resets[rst.RST_BUS_TCON_LCD0] = { reg: 0xb7c, bit: BIT(16) };
resets[rst.RST_BUS_TCON_TV0] = { reg: 0xb9c, bit: BIT(16) };
resets[rst.RST_BUS_CSI] = { reg: 0xc2c, bit: BIT(16) };
resets[rst.RST_BUS_HDCP] = { reg: 0xc4c, bit: BIT(16) };

const sun50i_h6_ccu_desc: sunxi_ccu_desc = { gates, resets, fixed, num: 138 };

function sun50i_h6_ccu_probe(pdev: platform_device): int {
	const reg = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(reg)) return PTR_ERR(reg);
	const lock = new spinlock_t('sun50i-h6-ccu');
	return sunxi_ccu_probe(pdev.dev, pdev.dev.of_node as device_node, reg, lock, sun50i_h6_ccu_desc);
}

const sun50i_h6_ccu_ids: readonly of_device_id[] = [{ compatible: 'allwinner,sun50i-h6-ccu' }];

const sun50i_h6_ccu_driver = new platform_driver({
	probe: sun50i_h6_ccu_probe,
	driver: { name: 'sun50i-h6-ccu', suppress_bind_attrs: true, of_match_table: sun50i_h6_ccu_ids },
});
module_platform_driver(sun50i_h6_ccu_driver);
