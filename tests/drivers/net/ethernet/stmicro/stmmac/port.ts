// SPDX-License-Identifier: GPL-2.0-only
// A small H6 with its Ethernet on a bus that reaches all of memory, or only the lowest part of it.

import {
	type stmmac_priv,
	sun8i_dwmac_set_mac_loopback,
} from '#drivers/net/ethernet/stmicro/stmmac/dwmac-sun8i.js';
import type { Machine, MachineOptions } from '#hw/core/machine.js';
import type { Emac } from '#hw/net/sun8i-emac.js';
import { start_kernel } from '#init/main.js';
import { trace_entries, tracing_reset } from '#kernel/trace/trace.js';
import { trace_set_clr_event } from '#kernel/trace/trace_events.js';
import { msleep } from '#linux/delay.js';
import type { device } from '#linux/device.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { page_address } from '#linux/mm.js';
import {
	__dev_get_by_name,
	dev_direct_xmit,
	dev_open,
	type net_device,
	netdev_priv,
} from '#linux/netdevice.js';
import {
	alloc_skb,
	kfree_skb,
	type sk_buff,
	skb_add_rx_frag,
	skb_frag_size,
	skb_headlen,
	skb_put_data,
	skb_shinfo,
} from '#linux/skbuff.js';
import { slab_leaks, slab_live } from '#linux/slab.js';
import { alloc_page, nr_free_pages } from '#mm/page_alloc.js';
import { slab_shrink_all } from '#mm/slub.js';
import { blobOf, type Node, RAM } from '#tests/hw/board.js';
import { h6Tree } from '#tests/hw/h6.js';
import { testMachine } from '#tests/machine.js';
import { sanitiserOf } from '#tests/sanitiser.js';
import type { Dmasan } from '#watch/dmasan.js';

/** The part of memory that the narrow bus reaches: 64 of 256 MiB. */
export const REACH = 0x0400_0000;
/** CLK_BUS_EMAC, RST_BUS_EMAC (include/dt-bindings). */
const EMAC_CLOCK = 84;
const EMAC_RESET = 33;

/** The board, as a blob: the node is that of sun50i-h6.dtsi, switched on, on a bus of its own. */
export function emacBoard(narrow: boolean): Uint8Array {
	const reach: Node = narrow ? { 'dma-ranges': [RAM, RAM, REACH] } : {};
	return blobOf(
		h6Tree({
			soc: {
				compatible: 'simple-bus',
				'#address-cells': [1],
				'#size-cells': [1],
				ranges: true,
				...reach,
				'ethernet@5020000': {
					compatible: ['allwinner,sun50i-h6-emac', 'allwinner,sun50i-a64-emac'],
					reg: [0x0502_0000, 0x10000],
					interrupts: [0, 12, 4],
					'interrupt-names': 'macirq',
					clocks: [2, EMAC_CLOCK],
					'clock-names': 'stmmaceth',
					resets: [2, EMAC_RESET],
					'reset-names': 'stmmaceth',
					status: 'okay',
				},
			},
		}),
	);
}

/** The bytes of a packet, linear part and fragments. */
export function bytesOf(skb: sk_buff): Uint8Array {
	const out = new Uint8Array(skb.len);
	const head = skb_headlen(skb);
	out.set(skb.head.subarray(skb.data, skb.data + head));
	let at = head;
	const { nr_frags, frags } = skb_shinfo(skb);
	for (let i = 0; i < nr_frags; i++) {
		const size = skb_frag_size(frags[i]);
		out.set(page_address(frags[i].page!, 4096).subarray(frags[i].offset, frags[i].offset + size), at);
		at += size;
	}
	return out;
}

/** A packet of @data: @linear bytes in its linear part, the rest in @frags fragments, each in a page of its own. */
export function packet(data: Uint8Array, linear = data.length, frags = 0): sk_buff {
	const skb = alloc_skb(linear, GFP_KERNEL);
	if (skb === null) throw new Error('no memory for a packet');
	skb_put_data(skb, data.subarray(0, linear));
	const rest = data.length - linear;
	for (let i = 0; i < frags; i++) {
		const part = data.subarray(
			linear + Math.floor((rest * i) / frags),
			linear + Math.floor((rest * (i + 1)) / frags),
		);
		const page = alloc_page(GFP_KERNEL);
		if (page === null) {
			kfree_skb(skb);
			throw new Error('no memory for a fragment');
		}
		// Not at the start of its page, so that a lost offset shows.
		page_address(page, 4096).set(part, 64 * (i + 1));
		skb_add_rx_frag(skb, i, page, 64 * (i + 1), part.length);
	}
	return skb;
}

/** A frame whose bytes tell where they belong. */
export function frame(length: number, seed: number): Uint8Array {
	return Uint8Array.from({ length }, (_, i) => (seed * 29 + i * 7 + (i >> 8) * 3) & 0xff);
}

export class Port {
	readonly machine: Machine;
	readonly dmasan: Dmasan;
	readonly log: string[] = [];
	readonly received: Uint8Array[] = [];
	readonly net: net_device;

	constructor(narrow: boolean, commandLine = 'swiotlb=1024', options: MachineOptions = {}) {
		this.machine = testMachine(emacBoard(narrow), {
			...options,
			commandLine,
			onConsole: (level, line) => {
				this.log.push(line);
				options.onConsole?.(level, line);
			},
		});
		start_kernel(this.machine);
		this.dmasan = sanitiserOf(this.machine);
		const net = __dev_get_by_name('eth0');
		if (net === null) throw new Error(`there is no eth0: ${this.log.join('\n')}`);
		this.net = net;
		net.rx_handler = (skb) => {
			this.received.push(bytesOf(skb));
			kfree_skb(skb);
		};
		trace_set_clr_event('swiotlb', 'swiotlb_bounced', true);
		tracing_reset();
	}

	get priv(): stmmac_priv {
		return netdev_priv<stmmac_priv>(this.net);
	}

	get device(): device {
		return this.net.parent!;
	}

	get emac(): Emac {
		return this.machine.model('5020000.ethernet') as Emac;
	}

	/** Bring it up, with the loop closed. */
	open(): number {
		const ret = dev_open(this.net);
		if (ret === 0) sun8i_dwmac_set_mac_loopback(this.priv.ioaddr, true);
		return ret;
	}

	/** Hand a packet to the driver; one that it does not take is freed. */
	send(skb: sk_buff): number {
		const ret = dev_direct_xmit(skb, this.net);
		if (ret !== 0) kfree_skb(skb);
		return ret;
	}

	/** Let everything that is under way arrive. */
	settle(): void {
		msleep(5);
	}

	/** Bytes that were mapped by way of the bounce pool so far, as the trace tells. */
	bounced(): number {
		let sum = 0;
		for (const entry of trace_entries()) {
			const size = entry.event === 'swiotlb:swiotlb_bounced' ? /size=(\d+)/.exec(entry.text) : null;
			if (size !== null) sum += Number(size[1]);
		}
		return sum;
	}

	/** Slots of the bounce pool in use. */
	slots(): number {
		return this.device.dma_io_tlb_mem?.total_used.counter ?? 0;
	}

	/** What is left of allocations made since; the result of the second call must be empty. */
	leakCheck(): () => string[] {
		// Empty slabs are not leaks.
		slab_shrink_all();
		const before = slab_live();
		const pages = nr_free_pages();
		const slots = this.slots();
		return () => {
			slab_shrink_all();
			const out = slab_leaks(before);
			if (nr_free_pages() !== pages) out.push(`${pages - nr_free_pages()} pages`);
			if (this.slots() !== slots) out.push(`${this.slots() - slots} slots`);
			return out;
		};
	}
}
