// SPDX-License-Identifier: GPL-2.0-only
// Who watches memory.

/** Someone who watches memory (the sanitiser). Each callback is optional and comes before the access has its effect. */
export interface RamObserver {
	onDeviceRead?(phys: number, size: number, snoop: boolean): void;
	onDeviceWrite?(phys: number, size: number, snoop: boolean): void;
	onClean?(phys: number, size: number): void;
	onInvalidate?(phys: number, size: number): void;
	/** A dirty line is about to be dropped by invalidate(): the CPU's stores to it are lost. */
	onDirtyDropped?(phys: number): void;
	/** A page was written through an old linear view while a cached vmap() had moved it. */
	onStaleWrite?(phys: number): void;
	/** vmap() is about to show pages, of GRANULE bytes each. */
	onVmap?(pages: ArrayLike<number>, count: number, cached: boolean): void;
	onUserMap?(
		area: number,
		addr: number,
		phys: number,
		size: number,
		cached: boolean,
		what: string,
		offset: number,
	): void;
	onUserUnmap?(area: number): void;
}
