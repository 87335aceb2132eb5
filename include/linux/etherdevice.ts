// SPDX-License-Identifier: GPL-2.0-only
// Ethernet: sizes, and a net_device that is one.
// Linux 6.12: include/linux/etherdevice.h, include/uapi/linux/if_ether.h; net/ethernet/eth.c (alloc_etherdev())
//
// Left out: addresses (nothing here looks at a frame's header), eth_type_trans() and what else the stack needs.
import { alloc_netdev, type net_device } from '#linux/netdevice.js';

/** Octets in one address. */
export const ETH_ALEN = 6;
/** Octets in a header: two addresses and a type. */
export const ETH_HLEN = 14;
/** The shortest and the longest frame without check sequence, and that. */
export const ETH_ZLEN = 60;
export const ETH_DATA_LEN = 1500;
export const ETH_FRAME_LEN = 1514;
export const ETH_FCS_LEN = 4;

/** A net_device called eth%d with a private part of type @priv, or null (include/linux/etherdevice.h: alloc_etherdev()). */
export function alloc_etherdev<T extends object>(priv: new () => T): net_device | null {
	const dev = alloc_netdev(priv, 'eth%d');
	if (dev !== null) dev.mtu = ETH_DATA_LEN;
	return dev;
}
