// SPDX-License-Identifier: GPL-2.0-only
// The Ethernet of the H6: rings of descriptors, packets by streaming DMA.
// Linux 6.12: drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.c
//
// A stub, in one file: what Linux has in stmmac_main.c and chain_mode.c stands here under its names, as far as one
// queue, normal descriptors in chain mode and the H6 need it. NAPI's stand-in is a work item. Packets are received as
// in Linux before page pools: short ones are copied out of the ring's buffer, long ones keep it. The
// rings have 64 descriptors, where Linux has 512.
//
// Left out: PHY, MDIO, syscon, regulators, station addresses and filters, flow control, TSO, checksums, VLANs, time
// stamps, jumbo frames, coalescing, suspend, ethtool, the recovery from a stopped DMA.
import { devm_platform_ioremap_resource, platform_get_irq } from '#drivers/base/platform.js';
import { devm_clk_get } from '#drivers/clk/clk-devres.js';
import { reset_control_assert, reset_control_deassert } from '#drivers/reset/core.js';
import {
	dma_alloc_coherent,
	dma_free_coherent,
	dma_map_single,
	dma_set_mask_and_coherent,
	dma_sync_single_for_cpu,
	dma_sync_single_for_device,
	dma_unmap_page,
	dma_unmap_single,
} from '#kernel/dma/mapping.js';
import { free_irq } from '#kernel/irq/manage.js';
import { cancel_work_sync } from '#kernel/workqueue.js';
import { BIT, GENMASK } from '#linux/bits.js';
import { type clk, clk_disable_unprepare, clk_prepare_enable } from '#linux/clk.js';
import { dev_err } from '#linux/dev_printk.js';
import { dev_get_drvdata, dev_set_drvdata, type device } from '#linux/device.js';
import { DMA_FROM_DEVICE, DMA_TO_DEVICE } from '#linux/dma-direction.js';
import { DMA_BIT_MASK, dma_mapping_error } from '#linux/dma-mapping.js';
import { type err_ptr, IS_ERR, PTR_ERR } from '#linux/err.js';
import { EINVAL, ENOMEM } from '#linux/errno.js';
import { alloc_etherdev, ETH_FCS_LEN, ETH_HLEN } from '#linux/etherdevice.js';
import { GFP_ATOMIC, GFP_KERNEL } from '#linux/gfp.js';
import { IRQ_HANDLED, IRQ_NONE, type irqreturn_t, request_irq } from '#linux/interrupt.js';
import { readl, writel } from '#linux/io.js';
import { readl_poll_timeout } from '#linux/iopoll.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import {
	free_netdev,
	NETDEV_TX_BUSY,
	NETDEV_TX_OK,
	type net_device,
	type net_device_ops,
	netdev_err,
	netdev_priv,
	type netdev_tx_t,
	netif_queue_stopped,
	netif_receive_skb,
	netif_start_queue,
	netif_stop_queue,
	netif_wake_queue,
	register_netdev,
	unregister_netdev,
} from '#linux/netdevice.js';
import { module_platform_driver, type platform_device, platform_driver } from '#linux/platform_device.js';
import { devm_reset_control_get, type reset_control } from '#linux/reset.js';
import {
	dev_consume_skb_any,
	dev_kfree_skb_any,
	MAX_SKB_FRAGS,
	netdev_alloc_skb,
	type sk_buff,
	skb_data,
	skb_frag_dma_map,
	skb_frag_size,
	skb_headlen,
	skb_put,
	skb_put_data,
	skb_shinfo,
} from '#linux/skbuff.js';
import { kcalloc, kfree } from '#linux/slab.js';
import { spin_lock_init, spin_lock_irqsave, spin_unlock_irqrestore, spinlock_t } from '#linux/spinlock.js';
import {
	type __iomem,
	type bool,
	container_of,
	type dma_addr_t,
	type int,
	ref,
	type u32,
	type unsigned_int,
} from '#linux/types.js';
import { INIT_WORK, schedule_work, work_struct } from '#linux/workqueue.js';

const EMAC_BASIC_CTL0 = 0x00;
const EMAC_DUPLEX_FULL = BIT(0);
const EMAC_LOOPBACK = BIT(1);
const EMAC_BASIC_CTL1 = 0x04;
const EMAC_BURSTLEN_SHIFT = 24;
const EMAC_INT_STA = 0x08;
const EMAC_TX_INT = BIT(0);
const EMAC_TX_DMA_STOP_INT = BIT(1);
const EMAC_RX_INT = BIT(8);
const EMAC_RX_BUF_UA_INT = BIT(9);
const EMAC_RX_DMA_STOP_INT = BIT(10);
const EMAC_INT_EN = 0x0c;
const EMAC_TX_CTL0 = 0x10;
const EMAC_TX_TRANSMITTER_EN = BIT(31);
const EMAC_TX_CTL1 = 0x14;
const EMAC_TX_MD = BIT(1);
const EMAC_TX_NEXT_FRM = BIT(2);
const EMAC_TX_DMA_EN = BIT(30);
const EMAC_TX_DMA_START = BIT(31);
const EMAC_TX_DESC_LIST = 0x20;
const EMAC_RX_CTL0 = 0x24;
const EMAC_RX_RECEIVER_EN = BIT(31);
const EMAC_RX_DO_CRC = BIT(27);
const EMAC_RX_CTL1 = 0x28;
const EMAC_RX_MD = BIT(1);
const EMAC_RX_DMA_EN = BIT(30);
const EMAC_RX_DMA_START = BIT(31);
const EMAC_RX_DESC_LIST = 0x34;
const EMAC_RX_FRM_FLT = 0x38;
const EMAC_FRM_FLT_RXALL = BIT(0);

/** What is listened to: the reasons to look at the rings, and the two ways in which DMA ends by itself. */
const EMAC_INTS =
	EMAC_TX_INT | EMAC_RX_INT | EMAC_RX_BUF_UA_INT | EMAC_TX_DMA_STOP_INT | EMAC_RX_DMA_STOP_INT;

// Descriptors (descs.h): four words, des0 status, des1 control and size, des2 buffer, des3 the next descriptor.
const DESC_WORDS = 4;
const DESC_SIZE = 16;
const TDES0_OWN = BIT(31);
const TDES0_ERROR_SUMMARY = BIT(15);
const TDES1_BUFFER1_SIZE_MASK = GENMASK(10, 0);
const TDES1_SECOND_ADDRESS_CHAINED = BIT(24);
const TDES1_FIRST_SEGMENT = BIT(29);
const TDES1_LAST_SEGMENT = BIT(30);
const TDES1_INTERRUPT = BIT(31);
const RDES0_OWN = BIT(31);
const RDES0_LAST_DESCRIPTOR = BIT(8);
const RDES0_FIRST_DESCRIPTOR = BIT(9);
const RDES0_ERROR_SUMMARY = BIT(15);
const RDES0_FRAME_LEN_MASK = GENMASK(29, 16);
const RDES0_FRAME_LEN_SHIFT = 16;
const RDES1_SECOND_ADDRESS_CHAINED = BIT(24);

export const DMA_TX_SIZE = 64;
export const DMA_RX_SIZE = 64;
const DEFAULT_BUFSIZE = 1536;
/** Frames shorter than this are copied, and leave their buffer in the ring. */
const STMMAC_RX_COPYBREAK = 256;

/** A transmit descriptor's mapping; buf 0: it has none. */
class stmmac_tx_info {
	buf: dma_addr_t = 0;
	map_as_page: bool = false;
	len: unsigned_int = 0;
}

class stmmac_tx_queue {
	/** The packet, at its last descriptor. */
	tx_skbuff: (sk_buff | null)[] | null = null;
	tx_skbuff_dma: stmmac_tx_info[] | null = null;
	dma_tx: Uint32Array | null = null;
	dma_tx_phy: ref<dma_addr_t> = new ref<dma_addr_t>(0);
	cur_tx: unsigned_int = 0;
	dirty_tx: unsigned_int = 0;
}

class stmmac_rx_queue {
	rx_skbuff: (sk_buff | null)[] | null = null;
	rx_skbuff_dma: ref<dma_addr_t>[] | null = null;
	dma_rx: Uint32Array | null = null;
	dma_rx_phy: ref<dma_addr_t> = new ref<dma_addr_t>(0);
	cur_rx: unsigned_int = 0;
}

/** rx_skbuff_dma's element: 0 until it is mapped. */
class rx_dma extends ref<dma_addr_t> {
	constructor() {
		super(0);
	}
}

export class stmmac_priv {
	dev: net_device | null = null;
	device: device | null = null;
	ioaddr: __iomem = 0;
	stmmac_clk: clk | null = null;
	stmmac_rst: reset_control | null = null;
	tx_queue: stmmac_tx_queue = new stmmac_tx_queue();
	rx_queue: stmmac_rx_queue = new stmmac_rx_queue();
	/** The transmit ring: Linux has the queue's _xmit_lock. */
	tx_lock: spinlock_t = new spinlock_t('stmmac_tx_lock');
	/** Linux: napi */
	napi: work_struct = new work_struct(this);
}

function sun8i_dwmac_set(ioaddr: __iomem, reg: u32, bits: u32): void {
	writel((readl(ioaddr + reg) | bits) >>> 0, ioaddr + reg);
}

function sun8i_dwmac_clear(ioaddr: __iomem, reg: u32, bits: u32): void {
	writel((readl(ioaddr + reg) & ~bits) >>> 0, ioaddr + reg);
}

/** Reset the block: 0, or -ETIMEDOUT. Linux: sun8i_dwmac_reset() */
function sun8i_dwmac_reset(priv: stmmac_priv): int {
	sun8i_dwmac_set(priv.ioaddr, EMAC_BASIC_CTL1, 0x01);
	const err = readl_poll_timeout(
		priv.ioaddr + EMAC_BASIC_CTL1,
		new ref<u32>(0),
		(v) => (v & 0x01) === 0,
		100,
		100000,
	);
	if (err !== 0) dev_err(priv.device, 'EMAC reset timeout');
	return err;
}

/** Linux: sun8i_dwmac_set_mac() */
function sun8i_dwmac_set_mac(ioaddr: __iomem, enable: bool): void {
	const set = enable ? sun8i_dwmac_set : sun8i_dwmac_clear;
	set(ioaddr, EMAC_TX_CTL0, EMAC_TX_TRANSMITTER_EN);
	set(ioaddr, EMAC_RX_CTL0, EMAC_RX_RECEIVER_EN);
}

/** What is sent comes back, or not. While the device is up; it comes up without. Linux: sun8i_dwmac_set_mac_loopback() */
export function sun8i_dwmac_set_mac_loopback(ioaddr: __iomem, enable: bool): void {
	(enable ? sun8i_dwmac_set : sun8i_dwmac_clear)(ioaddr, EMAC_BASIC_CTL0, EMAC_LOOPBACK);
}

/** Have the transmit DMA look at its descriptor again. Linux: sun8i_dwmac_enable_dma_transmission() */
function sun8i_dwmac_enable_dma_transmission(ioaddr: __iomem): void {
	sun8i_dwmac_set(ioaddr, EMAC_TX_CTL1, EMAC_TX_DMA_START | EMAC_TX_DMA_EN);
}

/** Linux: sun8i_dwmac_dma_start_rx() */
function sun8i_dwmac_dma_start_rx(ioaddr: __iomem): void {
	sun8i_dwmac_set(ioaddr, EMAC_RX_CTL1, EMAC_RX_DMA_START | EMAC_RX_DMA_EN);
}

/** Linux: stmmac_tx_avail() */
function stmmac_tx_avail(tx_q: stmmac_tx_queue): u32 {
	return (tx_q.dirty_tx + DMA_TX_SIZE - tx_q.cur_tx - 1) % DMA_TX_SIZE;
}

/** Each descriptor of a ring of @size names the next, the last one the first. Linux: chain_mode.c, init_dma_chain() */
function init_dma_chain(ring: Uint32Array, phy_addr: dma_addr_t, size: unsigned_int): void {
	for (let i = 0; i < size; i++)
		ring[i * DESC_WORDS + 3] = (phy_addr as number) + ((i + 1) % size) * DESC_SIZE;
}

/** Memory for a ring of @size descriptors, zeroed; null. */
function stmmac_alloc_ring(priv: stmmac_priv, phy: ref<dma_addr_t>, size: unsigned_int): Uint32Array | null {
	const ring = dma_alloc_coherent(priv.device as device, size * DESC_SIZE, phy, GFP_KERNEL);
	if (ring === null) return null;
	const words = new Uint32Array(ring.buffer, ring.byteOffset, size * DESC_WORDS);
	init_dma_chain(words, phy.value, size);
	return words;
}

function stmmac_free_ring(
	priv: stmmac_priv,
	ring: Uint32Array | null,
	phy: dma_addr_t,
	size: unsigned_int,
): void {
	if (ring === null) return;
	const bytes = new Uint8Array(ring.buffer, ring.byteOffset, ring.byteLength);
	dma_free_coherent(priv.device as device, size * DESC_SIZE, bytes, phy);
}

/** The device may write to buffer @entry. */
function stmmac_give_rx(rx_q: stmmac_rx_queue, entry: unsigned_int, addr: dma_addr_t): void {
	const ring = rx_q.dma_rx as Uint32Array;
	const at = entry * DESC_WORDS;
	ring[at + 2] = addr as number;
	ring[at + 1] = RDES1_SECOND_ADDRESS_CHAINED | DEFAULT_BUFSIZE;
	// Last: from here on the descriptor is the device's.
	ring[at] = RDES0_OWN;
}

/** A new, mapped buffer for descriptor @i: 0, or -ENOMEM. Linux: stmmac_init_rx_buffers() */
function stmmac_init_rx_buffers(priv: stmmac_priv, i: unsigned_int, flags: int): int {
	const dev = priv.device as device;
	const rx_q = priv.rx_queue;
	const skb = netdev_alloc_skb(priv.dev as net_device, DEFAULT_BUFSIZE, flags);
	if (skb === null) return -ENOMEM;
	const addr = dma_map_single(
		dev,
		skb_data(skb).subarray(0, DEFAULT_BUFSIZE),
		DEFAULT_BUFSIZE,
		DMA_FROM_DEVICE,
	);
	if (dma_mapping_error(dev, addr) !== 0) {
		dev_kfree_skb_any(skb);
		return -EINVAL;
	}
	(rx_q.rx_skbuff as (sk_buff | null)[])[i] = skb;
	(rx_q.rx_skbuff_dma as rx_dma[])[i].value = addr;
	return 0;
}

/** Linux: free_dma_rx_desc_resources() */
function free_dma_rx_desc_resources(priv: stmmac_priv): void {
	const rx_q = priv.rx_queue;
	for (let i = 0; i < DMA_RX_SIZE; i++) {
		const skb = rx_q.rx_skbuff?.[i] ?? null;
		if (skb === null) continue;
		const addr = (rx_q.rx_skbuff_dma as rx_dma[])[i].value;
		dma_unmap_single(priv.device as device, addr, DEFAULT_BUFSIZE, DMA_FROM_DEVICE);
		dev_kfree_skb_any(skb);
	}
	stmmac_free_ring(priv, rx_q.dma_rx, rx_q.dma_rx_phy.value, DMA_RX_SIZE);
	rx_q.dma_rx = null;
	kfree(rx_q.rx_skbuff_dma);
	rx_q.rx_skbuff_dma = null;
	kfree(rx_q.rx_skbuff);
	rx_q.rx_skbuff = null;
}

/** 0, -ENOMEM, or -EINVAL when a buffer cannot be mapped. Linux: alloc_dma_rx_desc_resources() */
function alloc_dma_rx_desc_resources(priv: stmmac_priv): int {
	const rx_q = priv.rx_queue;
	let ret = -ENOMEM;
	rx_q.cur_rx = 0;
	err_dma: {
		rx_q.rx_skbuff = kcalloc<sk_buff>(DMA_RX_SIZE, null, GFP_KERNEL);
		rx_q.rx_skbuff_dma = kcalloc(DMA_RX_SIZE, rx_dma, GFP_KERNEL);
		if (rx_q.rx_skbuff === null || rx_q.rx_skbuff_dma === null) break err_dma;
		rx_q.dma_rx = stmmac_alloc_ring(priv, rx_q.dma_rx_phy, DMA_RX_SIZE);
		if (rx_q.dma_rx === null) break err_dma;
		for (let i = 0; i < DMA_RX_SIZE; i++) {
			ret = stmmac_init_rx_buffers(priv, i, GFP_KERNEL);
			if (ret !== 0) break err_dma;
			stmmac_give_rx(rx_q, i, rx_q.rx_skbuff_dma[i].value);
		}
		return 0;
	}
	free_dma_rx_desc_resources(priv);
	return ret;
}

/** The mapping of descriptor @i ends, whatever it was. Linux: stmmac_free_tx_buffer() */
function stmmac_free_tx_buffer(priv: stmmac_priv, i: unsigned_int): void {
	const info = (priv.tx_queue.tx_skbuff_dma as stmmac_tx_info[])[i];
	if (info.buf === 0) return;
	if (info.map_as_page) dma_unmap_page(priv.device as device, info.buf, info.len, DMA_TO_DEVICE);
	else dma_unmap_single(priv.device as device, info.buf, info.len, DMA_TO_DEVICE);
	info.buf = 0;
	info.len = 0;
	info.map_as_page = false;
}

/** Linux: free_dma_tx_desc_resources() */
function free_dma_tx_desc_resources(priv: stmmac_priv): void {
	const tx_q = priv.tx_queue;
	if (tx_q.tx_skbuff_dma !== null && tx_q.tx_skbuff !== null) {
		for (let i = 0; i < DMA_TX_SIZE; i++) {
			stmmac_free_tx_buffer(priv, i);
			dev_kfree_skb_any(tx_q.tx_skbuff[i]);
		}
	}
	stmmac_free_ring(priv, tx_q.dma_tx, tx_q.dma_tx_phy.value, DMA_TX_SIZE);
	tx_q.dma_tx = null;
	kfree(tx_q.tx_skbuff_dma);
	tx_q.tx_skbuff_dma = null;
	kfree(tx_q.tx_skbuff);
	tx_q.tx_skbuff = null;
}

/** 0 or -ENOMEM. Linux: alloc_dma_tx_desc_resources() */
function alloc_dma_tx_desc_resources(priv: stmmac_priv): int {
	const tx_q = priv.tx_queue;
	tx_q.cur_tx = 0;
	tx_q.dirty_tx = 0;
	tx_q.tx_skbuff_dma = kcalloc(DMA_TX_SIZE, stmmac_tx_info, GFP_KERNEL);
	tx_q.tx_skbuff = kcalloc<sk_buff>(DMA_TX_SIZE, null, GFP_KERNEL);
	if (tx_q.tx_skbuff_dma !== null && tx_q.tx_skbuff !== null) {
		tx_q.dma_tx = stmmac_alloc_ring(priv, tx_q.dma_tx_phy, DMA_TX_SIZE);
		if (tx_q.dma_tx !== null) return 0;
	}
	free_dma_tx_desc_resources(priv);
	return -ENOMEM;
}

/** Packets that the device has done with: unmap and free them. Linux: stmmac_tx_clean() */
function stmmac_tx_clean(priv: stmmac_priv): void {
	const dev = priv.dev as net_device;
	const tx_q = priv.tx_queue;
	const ring = tx_q.dma_tx as Uint32Array;
	const skbs = tx_q.tx_skbuff as (sk_buff | null)[];
	const flags = spin_lock_irqsave(priv.tx_lock);

	while (tx_q.dirty_tx !== tx_q.cur_tx) {
		const entry = tx_q.dirty_tx;
		const status = ring[entry * DESC_WORDS];
		if ((status & TDES0_OWN) !== 0) break;
		stmmac_free_tx_buffer(priv, entry);
		const skb = skbs[entry];
		if (skb !== null) {
			if ((status & TDES0_ERROR_SUMMARY) !== 0) dev.stats.tx_errors++;
			else {
				dev.stats.tx_packets++;
				dev.stats.tx_bytes += skb.len;
			}
			skbs[entry] = null;
			dev_consume_skb_any(skb);
		}
		tx_q.dirty_tx = (entry + 1) % DMA_TX_SIZE;
	}
	if (netif_queue_stopped(dev) && stmmac_tx_avail(tx_q) > DMA_TX_SIZE / 4) netif_wake_queue(dev);
	spin_unlock_irqrestore(priv.tx_lock, flags);
}

/** Frame of @len bytes in buffer @entry: the packet to hand on, or null when there is no memory for one. */
function stmmac_rx_one(priv: stmmac_priv, entry: unsigned_int, len: unsigned_int): sk_buff | null {
	const dev = priv.device as device;
	const rx_q = priv.rx_queue;
	const skb = (rx_q.rx_skbuff as (sk_buff | null)[])[entry] as sk_buff;
	const addr = (rx_q.rx_skbuff_dma as rx_dma[])[entry].value;

	if (len < STMMAC_RX_COPYBREAK) {
		const copy = netdev_alloc_skb(priv.dev as net_device, len, GFP_ATOMIC);
		if (copy === null) return null;
		dma_sync_single_for_cpu(dev, addr, len, DMA_FROM_DEVICE);
		skb_put_data(copy, skb_data(skb).subarray(0, len));
		dma_sync_single_for_device(dev, addr, len, DMA_FROM_DEVICE);
		return copy;
	}
	// The next buffer first: without one this one stays in the ring, and the frame is lost.
	if (stmmac_init_rx_buffers(priv, entry, GFP_ATOMIC) !== 0) return null;
	dma_unmap_single(dev, addr, DEFAULT_BUFSIZE, DMA_FROM_DEVICE);
	skb_put(skb, len);
	return skb;
}

/** Frames that have come: hand them on, and give their descriptors back. Linux: stmmac_rx() */
function stmmac_rx(priv: stmmac_priv): void {
	const dev = priv.dev as net_device;
	const rx_q = priv.rx_queue;
	const ring = rx_q.dma_rx as Uint32Array;
	const whole = RDES0_FIRST_DESCRIPTOR | RDES0_LAST_DESCRIPTOR;

	for (let count = 0; count < DMA_RX_SIZE; count++) {
		const entry = rx_q.cur_rx;
		const status = ring[entry * DESC_WORDS];
		if ((status & RDES0_OWN) !== 0) break;
		rx_q.cur_rx = (entry + 1) % DMA_RX_SIZE;

		let skb: sk_buff | null = null;
		const len = ((status & RDES0_FRAME_LEN_MASK) >>> RDES0_FRAME_LEN_SHIFT) - ETH_FCS_LEN;
		// A frame that needs more than one buffer is longer than any that is sent here.
		if ((status & whole) !== whole || (status & RDES0_ERROR_SUMMARY) !== 0 || len < ETH_HLEN) {
			dev.stats.rx_errors++;
		} else {
			skb = stmmac_rx_one(priv, entry, len);
			if (skb === null) dev.stats.rx_dropped++;
		}
		stmmac_give_rx(rx_q, entry, (rx_q.rx_skbuff_dma as rx_dma[])[entry].value);
		if (skb !== null) {
			dev.stats.rx_packets++;
			dev.stats.rx_bytes += len;
			netif_receive_skb(skb);
		}
	}
}

/** Linux: stmmac_napi_poll_rxtx() */
function stmmac_napi_poll(work: work_struct): void {
	const priv = container_of(work, stmmac_priv);
	stmmac_tx_clean(priv);
	stmmac_rx(priv);
	// The receiver stands still since it found no free descriptor; now there are some.
	sun8i_dwmac_dma_start_rx(priv.ioaddr);
	writel(EMAC_INTS, priv.ioaddr + EMAC_INT_EN);
}

/** Linux: stmmac_interrupt() */
function stmmac_interrupt(_irq: int, dev_id: unknown): irqreturn_t {
	const priv = netdev_priv<stmmac_priv>(dev_id as net_device);
	const v = readl(priv.ioaddr + EMAC_INT_STA);
	if ((v & EMAC_INTS) === 0) return IRQ_NONE;
	writel(v, priv.ioaddr + EMAC_INT_STA);
	if ((v & EMAC_TX_DMA_STOP_INT) !== 0) (priv.dev as net_device).stats.tx_errors++;
	if ((v & EMAC_RX_DMA_STOP_INT) !== 0) (priv.dev as net_device).stats.rx_errors++;
	// Quiet until the work item has looked at both rings.
	writel(0, priv.ioaddr + EMAC_INT_EN);
	schedule_work(priv.napi);
	return IRQ_HANDLED;
}

/** Rings, buffers, registers, interrupt, in this order: 0 or what failed. Linux: stmmac_open() */
function stmmac_open(dev: net_device): int {
	const priv = netdev_priv<stmmac_priv>(dev);
	const { ioaddr } = priv;

	let ret = alloc_dma_rx_desc_resources(priv);
	if (ret !== 0) return ret;
	dma_desc_error: {
		ret = alloc_dma_tx_desc_resources(priv);
		if (ret !== 0) break dma_desc_error;
		init_error: {
			ret = sun8i_dwmac_reset(priv);
			if (ret !== 0) break init_error;
			writel(8 << EMAC_BURSTLEN_SHIFT, ioaddr + EMAC_BASIC_CTL1);
			writel(EMAC_DUPLEX_FULL, ioaddr + EMAC_BASIC_CTL0);
			writel(EMAC_FRM_FLT_RXALL, ioaddr + EMAC_RX_FRM_FLT);
			writel(EMAC_RX_DO_CRC, ioaddr + EMAC_RX_CTL0);
			writel(priv.rx_queue.dma_rx_phy.value as number, ioaddr + EMAC_RX_DESC_LIST);
			writel(priv.tx_queue.dma_tx_phy.value as number, ioaddr + EMAC_TX_DESC_LIST);
			writel(EMAC_RX_MD, ioaddr + EMAC_RX_CTL1);
			writel(EMAC_TX_MD | EMAC_TX_NEXT_FRM, ioaddr + EMAC_TX_CTL1);

			ret = request_irq(dev.irq, stmmac_interrupt, 0, dev.name, dev);
			if (ret !== 0) {
				netdev_err(
					dev,
					'%s: ERROR: allocating the IRQ %d (error: %d)',
					'stmmac_request_irq_single',
					dev.irq,
					ret,
				);
				break init_error;
			}
			sun8i_dwmac_set_mac(ioaddr, true);
			sun8i_dwmac_dma_start_rx(ioaddr);
			writel(EMAC_INTS, ioaddr + EMAC_INT_EN);
			netif_start_queue(dev);
			return 0;
		}
		free_dma_tx_desc_resources(priv);
	}
	free_dma_rx_desc_resources(priv);
	return ret;
}

/** Nothing runs and nothing is mapped any more after this. Linux: stmmac_release() */
function stmmac_release(dev: net_device): int {
	const priv = netdev_priv<stmmac_priv>(dev);
	const { ioaddr } = priv;

	netif_stop_queue(dev);
	writel(0, ioaddr + EMAC_INT_EN);
	free_irq(dev.irq, dev);
	cancel_work_sync(priv.napi);
	// An item that was running has switched them on again.
	writel(0, ioaddr + EMAC_INT_EN);
	sun8i_dwmac_clear(ioaddr, EMAC_TX_CTL1, EMAC_TX_DMA_EN);
	sun8i_dwmac_clear(ioaddr, EMAC_RX_CTL1, EMAC_RX_DMA_EN);
	free_dma_tx_desc_resources(priv);
	free_dma_rx_desc_resources(priv);
	sun8i_dwmac_set_mac(ioaddr, false);
	return 0;
}

/** Remember what is mapped for descriptor @entry, and describe it to the device, which does not own it yet. */
function stmmac_prepare_tx_desc(
	tx_q: stmmac_tx_queue,
	entry: unsigned_int,
	buf: dma_addr_t,
	len: unsigned_int,
	map_as_page: bool,
): void {
	const ring = tx_q.dma_tx as Uint32Array;
	const info = (tx_q.tx_skbuff_dma as stmmac_tx_info[])[entry];
	const at = entry * DESC_WORDS;
	info.buf = buf;
	info.len = len;
	info.map_as_page = map_as_page;
	ring[at] = 0;
	ring[at + 1] = TDES1_SECOND_ADDRESS_CHAINED | (len & TDES1_BUFFER1_SIZE_MASK);
	ring[at + 2] = buf as number;
}

/**
 * Map @skb's parts into the descriptors from @first on, in the order of Linux: the fragments, then the linear part.
 * How many descriptors, or -EINVAL and nothing is mapped.
 */
function stmmac_map_skb(priv: stmmac_priv, skb: sk_buff, first: unsigned_int): int {
	const dev = priv.device as device;
	const tx_q = priv.tx_queue;
	const { nr_frags, frags } = skb_shinfo(skb);
	const headlen = skb_headlen(skb);
	let mapped = 0;

	dma_map_err: {
		for (; mapped < nr_frags; mapped++) {
			const len = skb_frag_size(frags[mapped]);
			const des = skb_frag_dma_map(dev, frags[mapped], 0, len, DMA_TO_DEVICE);
			if (dma_mapping_error(dev, des) !== 0) break dma_map_err;
			stmmac_prepare_tx_desc(tx_q, (first + 1 + mapped) % DMA_TX_SIZE, des, len, true);
		}
		const des = dma_map_single(dev, skb_data(skb).subarray(0, headlen), headlen, DMA_TO_DEVICE);
		if (dma_mapping_error(dev, des) !== 0) break dma_map_err;
		stmmac_prepare_tx_desc(tx_q, first, des, headlen, false);
		return nr_frags + 1;
	}
	// DEVIATION: the fragments are unmapped, and the ring is as it was before. Its twin leaves both.
	while (mapped > 0) stmmac_free_tx_buffer(priv, (first + mapped--) % DMA_TX_SIZE);
	return -EINVAL;
}

/** Linux: stmmac_xmit() */
function stmmac_xmit(skb: sk_buff, dev: net_device): netdev_tx_t {
	const priv = netdev_priv<stmmac_priv>(dev);
	const tx_q = priv.tx_queue;
	const flags = spin_lock_irqsave(priv.tx_lock);

	if (stmmac_tx_avail(tx_q) < skb_shinfo(skb).nr_frags + 1) {
		if (!netif_queue_stopped(dev)) {
			netif_stop_queue(dev);
			netdev_err(dev, '%s: Tx Ring full when queue awake', 'stmmac_xmit');
		}
		spin_unlock_irqrestore(priv.tx_lock, flags);
		return NETDEV_TX_BUSY;
	}
	const first = tx_q.cur_tx;
	const count = skb_headlen(skb) > 0 && skb.len <= dev.mtu + ETH_HLEN ? stmmac_map_skb(priv, skb, first) : 0;
	if (count <= 0) {
		if (count < 0) netdev_err(dev, 'Tx DMA map failed');
		dev_kfree_skb_any(skb);
		dev.stats.tx_dropped++;
		spin_unlock_irqrestore(priv.tx_lock, flags);
		return NETDEV_TX_OK;
	}
	const ring = tx_q.dma_tx as Uint32Array;
	const last = (first + count - 1) % DMA_TX_SIZE;
	ring[first * DESC_WORDS + 1] |= TDES1_FIRST_SEGMENT;
	ring[last * DESC_WORDS + 1] |= TDES1_LAST_SEGMENT | TDES1_INTERRUPT;
	(tx_q.tx_skbuff as (sk_buff | null)[])[last] = skb;
	tx_q.cur_tx = (last + 1) % DMA_TX_SIZE;
	// No room for the longest packet: the next one has to wait.
	if (stmmac_tx_avail(tx_q) <= MAX_SKB_FRAGS + 1) netif_stop_queue(dev);
	// The first one last: the device starts a frame only when all of it is there.
	for (let i = 1; i < count; i++) ring[((first + i) % DMA_TX_SIZE) * DESC_WORDS] = TDES0_OWN;
	ring[first * DESC_WORDS] = TDES0_OWN;

	sun8i_dwmac_enable_dma_transmission(priv.ioaddr);
	spin_unlock_irqrestore(priv.tx_lock, flags);
	return NETDEV_TX_OK;
}

const stmmac_netdev_ops: net_device_ops = {
	ndo_open: stmmac_open,
	ndo_stop: stmmac_release,
	ndo_start_xmit: stmmac_xmit,
};

/** The part of probe that finds clock and reset, and switches both on. Linux: stmmac_hw_init(), stmmac_dvr_probe() */
function stmmac_hw_init(priv: stmmac_priv): int {
	const dev = priv.device as device;
	const clk = devm_clk_get(dev, 'stmmaceth');
	if (IS_ERR(clk)) return PTR_ERR(clk);
	const rst: reset_control | err_ptr = devm_reset_control_get(dev, 'stmmaceth');
	if (IS_ERR(rst)) return PTR_ERR(rst);
	priv.stmmac_clk = clk;
	priv.stmmac_rst = rst;

	let ret = clk_prepare_enable(clk);
	if (ret !== 0) return ret;
	ret = reset_control_deassert(rst);
	if (ret !== 0) clk_disable_unprepare(clk);
	return ret;
}

function stmmac_hw_exit(priv: stmmac_priv): void {
	reset_control_assert(priv.stmmac_rst);
	clk_disable_unprepare(priv.stmmac_clk);
}

/** Linux: sun8i_dwmac_probe() */
function sun8i_dwmac_probe(pdev: platform_device): int {
	const { dev } = pdev;
	const irq = platform_get_irq(pdev, 0);
	if (irq < 0) return irq;
	const ioaddr = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(ioaddr)) return PTR_ERR(ioaddr);
	let ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(32));
	if (ret !== 0) return ret;

	const ndev = alloc_etherdev(stmmac_priv);
	if (ndev === null) return -ENOMEM;
	const priv = netdev_priv<stmmac_priv>(ndev);
	priv.dev = ndev;
	priv.device = dev;
	priv.ioaddr = ioaddr;
	spin_lock_init(priv.tx_lock);
	INIT_WORK(priv.napi, stmmac_napi_poll);
	ndev.irq = irq;
	ndev.parent = dev;
	ndev.netdev_ops = stmmac_netdev_ops;

	error_hw_init: {
		ret = stmmac_hw_init(priv);
		if (ret !== 0) break error_hw_init;
		ret = register_netdev(ndev);
		if (ret !== 0) {
			stmmac_hw_exit(priv);
			break error_hw_init;
		}
		dev_set_drvdata(dev, ndev);
		return 0;
	}
	free_netdev(ndev);
	return ret;
}

/** Linux: sun8i_dwmac_remove() */
function sun8i_dwmac_remove(pdev: platform_device): void {
	const ndev = dev_get_drvdata<net_device>(pdev.dev);
	unregister_netdev(ndev);
	stmmac_hw_exit(netdev_priv<stmmac_priv>(ndev));
	free_netdev(ndev);
}

const sun8i_dwmac_match: readonly of_device_id[] = [{ compatible: 'allwinner,sun50i-h6-emac' }];

export const sun8i_dwmac_driver = new platform_driver({
	probe: sun8i_dwmac_probe,
	remove: sun8i_dwmac_remove,
	driver: { name: 'dwmac-sun8i', of_match_table: sun8i_dwmac_match },
});
module_platform_driver(sun8i_dwmac_driver);
