// SPDX-License-Identifier: GPL-2.0-only
// Network devices, as far as a driver's transmit and receive paths see them.
// Linux 6.12: include/linux/netdevice.h; the few functions of net/core/dev.c that stand here have no other home yet
//
// Left out: the network stack (a packet goes to the device's rx_handler, or nowhere), queueing disciplines (a caller
// sees NETDEV_TX_BUSY itself), NAPI (drivers use a work item), more than one queue, features, sysfs, namespaces.
import { dev_driver_string } from '#drivers/base/core.js';
import type { printk_arg } from '#lib/vsprintf.js';
import { dev_name, type device } from '#linux/device.js';
import { EBUSY, EEXIST, ENETDOWN } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { boot_data } from '#linux/init.js';
import { list_add_tail, list_del, list_for_each_entry, list_head } from '#linux/list.js';
import { pr_err } from '#linux/printk.js';
import { kfree_skb, type sk_buff } from '#linux/skbuff.js';
import { kfree, kzalloc } from '#linux/slab.js';
import type { bool, int, u64, unsigned_int } from '#linux/types.js';

/** What ndo_start_xmit answers: the packet is the driver's; it is still the caller's. */
export const NETDEV_TX_OK = 0x00;
export const NETDEV_TX_BUSY = 0x10;
export type netdev_tx_t = int;

export const IFF_UP = 1 << 0;

export interface net_device_ops {
	ndo_open(dev: net_device): int;
	ndo_stop(dev: net_device): int;
	ndo_start_xmit(skb: sk_buff, dev: net_device): netdev_tx_t;
}

export class net_device_stats {
	rx_packets: u64 = 0;
	tx_packets: u64 = 0;
	rx_bytes: u64 = 0;
	tx_bytes: u64 = 0;
	rx_errors: u64 = 0;
	tx_errors: u64 = 0;
	rx_dropped: u64 = 0;
	tx_dropped: u64 = 0;
}

/** Takes over @skb. */
export type rx_handler_func_t = (skb: sk_buff) => void;

export class net_device {
	name: string = '';
	dev_list = new list_head<net_device>(this);
	flags: unsigned_int = 0;
	mtu: unsigned_int = 0;
	irq: int = 0;
	netdev_ops: net_device_ops | null = null;
	stats: net_device_stats = new net_device_stats();
	/** Who gets what is received; in Linux before the stack does. */
	rx_handler: rx_handler_func_t | null = null;
	/** Linux: dev.parent */
	parent: device | null = null;
	/** Linux: the one queue's state has a driver's stop bit. */
	queue_stopped: bool = false;
	/** The driver's part: in Linux behind the struct. */
	priv: object | null = null;
}

const state = boot_data(() => ({ dev_base_head: new list_head<net_device>() }));

/** The driver's part (include/linux/netdevice.h: netdev_priv()). */
export function netdev_priv<T extends object>(dev: net_device): T {
	return dev.priv as T;
}

/** A device with a private part of type @priv, or null (net/core/dev.c: alloc_netdev_mqs()). */
export function alloc_netdev<T extends object>(priv: new () => T, name: string): net_device | null {
	const dev = kzalloc(net_device, GFP_KERNEL);
	if (dev === null) return null;
	dev.priv = kzalloc(priv, GFP_KERNEL);
	if (dev.priv === null) {
		kfree(dev);
		return null;
	}
	dev.name = name;
	return dev;
}

/** Linux: net/core/dev.c: free_netdev() */
export function free_netdev(dev: net_device): void {
	kfree(dev.priv);
	kfree(dev);
}

/** The device called @name, or null (net/core/dev.c: __dev_get_by_name()). */
export function __dev_get_by_name(name: string): net_device | null {
	for (const dev of list_for_each_entry(state.dev_base_head)) if (dev.name === name) return dev;
	return null;
}

/** Make @dev known; %d in its name becomes the first number that is free. -EEXIST (net/core/dev.c: register_netdev()). */
export function register_netdev(dev: net_device): int {
	const format = dev.name;
	for (let i = 0; format.includes('%d'); i++) {
		const name = format.replace('%d', String(i));
		if (__dev_get_by_name(name) !== null) continue;
		dev.name = name;
		break;
	}
	if (__dev_get_by_name(dev.name) !== null) return -EEXIST;
	list_add_tail(dev.dev_list, state.dev_base_head);
	return 0;
}

/** Close @dev and forget it (net/core/dev.c: unregister_netdev()). */
export function unregister_netdev(dev: net_device): void {
	dev_close(dev);
	list_del(dev.dev_list);
}

/** Linux: include/linux/netdevice.h: netif_running() */
export function netif_running(dev: net_device): bool {
	return (dev.flags & IFF_UP) !== 0;
}

/** Bring @dev up: what its driver answers (net/core/dev.c: dev_open()). */
export function dev_open(dev: net_device): int {
	if (netif_running(dev)) return 0;
	const ret = dev.netdev_ops?.ndo_open(dev) ?? 0;
	if (ret === 0) dev.flags |= IFF_UP;
	return ret;
}

/** Take @dev down (net/core/dev.c: dev_close()). */
export function dev_close(dev: net_device): void {
	if (!netif_running(dev)) return;
	dev.netdev_ops?.ndo_stop(dev);
	dev.flags &= ~IFF_UP;
}

/** Let packets come, and let none come (include/linux/netdevice.h). */
export function netif_start_queue(dev: net_device): void {
	dev.queue_stopped = false;
}
export const netif_wake_queue = netif_start_queue;
export function netif_stop_queue(dev: net_device): void {
	dev.queue_stopped = true;
}
export function netif_queue_stopped(dev: net_device): bool {
	return dev.queue_stopped;
}

/** Log at level 3, the names of driver, device and interface in front (net/core/dev.c: netdev_err()). */
export function netdev_err(dev: net_device, fmt: string, ...args: printk_arg[]): void {
	const parent = dev.parent as device;
	pr_err(`%s %s %s: ${fmt}`, dev_driver_string(parent), dev_name(parent), dev.name, ...args);
}

/**
 * Send a packet (net/core/dev.c: dev_direct_xmit(), a way without a queueing discipline).
 * 0: it is the driver's. -EBUSY: no room now, it is still the caller's. -ENETDOWN: the same, the device is down.
 */
export function dev_direct_xmit(skb: sk_buff, dev: net_device): int {
	if (!netif_running(dev)) return -ENETDOWN;
	if (netif_queue_stopped(dev)) return -EBUSY;
	skb.dev = dev;
	return dev.netdev_ops?.ndo_start_xmit(skb, dev) === NETDEV_TX_OK ? 0 : -EBUSY;
}

/** A packet has come: it belongs to whoever listens (net/core/dev.c: netif_receive_skb()). */
export function netif_receive_skb(skb: sk_buff): void {
	const handler = skb.dev?.rx_handler ?? null;
	if (handler !== null) handler(skb);
	else kfree_skb(skb);
}
