// SPDX-License-Identifier: GPL-2.0-only
// Trace events of the DMA API.
// Linux 6.12: include/trace/events/dma.h
import { DEFINE_TRACE_EVENT, trace_event, type trace_event_call } from '#kernel/trace/trace.js';
import { sg_next } from '#lib/scatterlist.js';
import { dev_name, type device } from '#linux/device.js';
import type { dma_data_direction } from '#linux/dma-direction.js';
import {
	DMA_ATTR_ALLOC_SINGLE_PAGES,
	DMA_ATTR_FORCE_CONTIGUOUS,
	DMA_ATTR_NO_KERNEL_MAPPING,
	DMA_ATTR_NO_WARN,
	DMA_ATTR_PRIVILEGED,
	DMA_ATTR_SKIP_CPU_SYNC,
	DMA_ATTR_WEAK_ORDERING,
	DMA_ATTR_WRITE_COMBINE,
} from '#linux/dma-mapping.js';
import {
	__GFP_ACCOUNT,
	__GFP_COMP,
	__GFP_DIRECT_RECLAIM,
	__GFP_FS,
	__GFP_HARDWALL,
	__GFP_HIGH,
	__GFP_HIGHMEM,
	__GFP_IO,
	__GFP_KSWAPD_RECLAIM,
	__GFP_MEMALLOC,
	__GFP_MOVABLE,
	__GFP_NOFAIL,
	__GFP_NOMEMALLOC,
	__GFP_NORETRY,
	__GFP_NOWARN,
	__GFP_RECLAIM,
	__GFP_RECLAIMABLE,
	__GFP_RETRY_MAYFAIL,
	__GFP_THISNODE,
	__GFP_WRITE,
	__GFP_ZERO,
	GFP_ATOMIC,
	GFP_DMA,
	GFP_DMA32,
	GFP_HIGHUSER,
	GFP_HIGHUSER_MOVABLE,
	GFP_KERNEL,
	GFP_KERNEL_ACCOUNT,
	GFP_NOFS,
	GFP_NOIO,
	GFP_NOWAIT,
	GFP_USER,
} from '#linux/gfp_types.js';
import { type scatterlist, sg_phys, type sg_table } from '#linux/scatterlist.js';
import {
	type dma_addr_t,
	type gfp_t,
	type int,
	type phys_addr_t,
	type size_t,
	U64_MAX,
	type unsigned_long,
	type void_ptr,
} from '#linux/types.js';

const directions = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

const attr_names: readonly (readonly [number, string])[] = [
	[DMA_ATTR_WEAK_ORDERING, 'WEAK_ORDERING'],
	[DMA_ATTR_WRITE_COMBINE, 'WRITE_COMBINE'],
	[DMA_ATTR_NO_KERNEL_MAPPING, 'NO_KERNEL_MAPPING'],
	[DMA_ATTR_SKIP_CPU_SYNC, 'SKIP_CPU_SYNC'],
	[DMA_ATTR_FORCE_CONTIGUOUS, 'FORCE_CONTIGUOUS'],
	[DMA_ATTR_ALLOC_SINGLE_PAGES, 'ALLOC_SINGLE_PAGES'],
	[DMA_ATTR_NO_WARN, 'NO_WARN'],
	[DMA_ATTR_PRIVILEGED, 'PRIVILEGED'],
];

// include/trace/events/mmflags.h: __def_gfpflag_names, the combinations first.
const gfp_names: readonly (readonly [number, string])[] = [
	[GFP_HIGHUSER_MOVABLE, 'GFP_HIGHUSER_MOVABLE'],
	[GFP_HIGHUSER, 'GFP_HIGHUSER'],
	[GFP_USER, 'GFP_USER'],
	[GFP_KERNEL_ACCOUNT, 'GFP_KERNEL_ACCOUNT'],
	[GFP_KERNEL, 'GFP_KERNEL'],
	[GFP_NOFS, 'GFP_NOFS'],
	[GFP_ATOMIC, 'GFP_ATOMIC'],
	[GFP_NOIO, 'GFP_NOIO'],
	[GFP_NOWAIT, 'GFP_NOWAIT'],
	[GFP_DMA, 'GFP_DMA'],
	[__GFP_HIGHMEM, '__GFP_HIGHMEM'],
	[GFP_DMA32, 'GFP_DMA32'],
	[__GFP_HIGH, '__GFP_HIGH'],
	[__GFP_IO, '__GFP_IO'],
	[__GFP_FS, '__GFP_FS'],
	[__GFP_NOWARN, '__GFP_NOWARN'],
	[__GFP_RETRY_MAYFAIL, '__GFP_RETRY_MAYFAIL'],
	[__GFP_NOFAIL, '__GFP_NOFAIL'],
	[__GFP_NORETRY, '__GFP_NORETRY'],
	[__GFP_COMP, '__GFP_COMP'],
	[__GFP_ZERO, '__GFP_ZERO'],
	[__GFP_NOMEMALLOC, '__GFP_NOMEMALLOC'],
	[__GFP_MEMALLOC, '__GFP_MEMALLOC'],
	[__GFP_HARDWALL, '__GFP_HARDWALL'],
	[__GFP_THISNODE, '__GFP_THISNODE'],
	[__GFP_RECLAIMABLE, '__GFP_RECLAIMABLE'],
	[__GFP_MOVABLE, '__GFP_MOVABLE'],
	[__GFP_ACCOUNT, '__GFP_ACCOUNT'],
	[__GFP_WRITE, '__GFP_WRITE'],
	[__GFP_RECLAIM, '__GFP_RECLAIM'],
	[__GFP_DIRECT_RECLAIM, '__GFP_DIRECT_RECLAIM'],
	[__GFP_KSWAPD_RECLAIM, '__GFP_KSWAPD_RECLAIM'],
];

/** The names of the bits of @flags, each bit once (include/trace/stages/stage3_trace_output.h: __print_flags()). */
function print_flags(flags: number, names: readonly (readonly [number, string])[]): string {
	const out: string[] = [];
	let left = flags;
	for (const [bits, name] of names) {
		if (left === 0) break;
		if ((left & bits) !== bits) continue;
		out.push(name);
		left &= ~bits;
	}
	if (left !== 0) out.push(`0x${(left >>> 0).toString(16)}`);
	return out.join('|');
}

const attrs_text = (attrs: unsigned_long): string => print_flags(attrs, attr_names);
const gfp_text = (flags: gfp_t): string => (flags === 0 ? 'none' : print_flags(flags, gfp_names));
const hex = (v: number): string => (v >= U64_MAX ? 'ffffffffffffffff' : v.toString(16));
const array_text = (values: number[]): string => `{${values.map((v) => `0x${hex(v)}`).join(',')}}`;
const head = (dev: device, dir: dma_data_direction): string => `${dev_name(dev)} dir=${directions[dir]}`;
/** Where the kernel's memory is stays secret. */
const ptr_text = (p: void_ptr | null): string => (p === null ? '(null)' : '(____ptrval____)');

function phys_addrs(sgl: scatterlist, nents: int): string {
	const values: number[] = [];
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && sg !== null; i++, sg = sg_next(sg)) values.push(sg_phys(sg));
	return array_text(values);
}

const ev = {
	map_page: DEFINE_TRACE_EVENT('dma', 'dma_map_page'),
	map_resource: DEFINE_TRACE_EVENT('dma', 'dma_map_resource'),
	unmap_page: DEFINE_TRACE_EVENT('dma', 'dma_unmap_page'),
	unmap_resource: DEFINE_TRACE_EVENT('dma', 'dma_unmap_resource'),
	alloc: DEFINE_TRACE_EVENT('dma', 'dma_alloc'),
	alloc_pages: DEFINE_TRACE_EVENT('dma', 'dma_alloc_pages'),
	alloc_sgt: DEFINE_TRACE_EVENT('dma', 'dma_alloc_sgt'),
	alloc_sgt_err: DEFINE_TRACE_EVENT('dma', 'dma_alloc_sgt_err'),
	free: DEFINE_TRACE_EVENT('dma', 'dma_free'),
	free_pages: DEFINE_TRACE_EVENT('dma', 'dma_free_pages'),
	free_sgt: DEFINE_TRACE_EVENT('dma', 'dma_free_sgt'),
	map_sg: DEFINE_TRACE_EVENT('dma', 'dma_map_sg'),
	map_sg_err: DEFINE_TRACE_EVENT('dma', 'dma_map_sg_err'),
	unmap_sg: DEFINE_TRACE_EVENT('dma', 'dma_unmap_sg'),
	sync_single_for_cpu: DEFINE_TRACE_EVENT('dma', 'dma_sync_single_for_cpu'),
	sync_single_for_device: DEFINE_TRACE_EVENT('dma', 'dma_sync_single_for_device'),
	sync_sg_for_cpu: DEFINE_TRACE_EVENT('dma', 'dma_sync_sg_for_cpu'),
	sync_sg_for_device: DEFINE_TRACE_EVENT('dma', 'dma_sync_sg_for_device'),
};

function emit_map(
	event: trace_event_call,
	dev: device,
	phys_addr: phys_addr_t,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	trace_event(
		event,
		'%s',
		`${head(dev, dir)} dma_addr=${hex(dma_addr)} size=${size} phys_addr=${hex(phys_addr)} attrs=${attrs_text(attrs)}`,
	);
}

export function trace_dma_map_page(
	dev: device,
	phys_addr: phys_addr_t,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_page.enabled) emit_map(ev.map_page, dev, phys_addr, dma_addr, size, dir, attrs);
}

export function trace_dma_map_resource(
	dev: device,
	phys_addr: phys_addr_t,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_resource.enabled) emit_map(ev.map_resource, dev, phys_addr, dma_addr, size, dir, attrs);
}

function emit_unmap(
	event: trace_event_call,
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	trace_event(event, '%s', `${head(dev, dir)} dma_addr=${hex(addr)} size=${size} attrs=${attrs_text(attrs)}`);
}

export function trace_dma_unmap_page(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_page.enabled) emit_unmap(ev.unmap_page, dev, addr, size, dir, attrs);
}

export function trace_dma_unmap_resource(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_resource.enabled) emit_unmap(ev.unmap_resource, dev, addr, size, dir, attrs);
}

function emit_alloc(
	event: trace_event_call,
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	trace_event(
		event,
		'%s',
		`${head(dev, dir)} dma_addr=${hex(dma_addr)} size=${size} virt_addr=${ptr_text(virt_addr)} flags=${gfp_text(flags)} attrs=${attrs_text(attrs)}`,
	);
}

export function trace_dma_alloc(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc.enabled) emit_alloc(ev.alloc, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

export function trace_dma_alloc_pages(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc_pages.enabled) emit_alloc(ev.alloc_pages, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

export function trace_dma_alloc_sgt_err(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc_sgt_err.enabled)
		emit_alloc(ev.alloc_sgt_err, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

export function trace_dma_alloc_sgt(
	dev: device,
	sgt: sg_table,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (!ev.alloc_sgt.enabled) return;
	const sgl = sgt.sgl as scatterlist;
	trace_event(
		ev.alloc_sgt,
		'%s',
		`${head(dev, dir)} dma_addr=${hex(sgl.dma_address)} size=${size} phys_addrs=${phys_addrs(sgl, sgt.orig_nents)} flags=${gfp_text(flags)} attrs=${attrs_text(attrs)}`,
	);
}

function emit_free(
	event: trace_event_call,
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	trace_event(
		event,
		'%s',
		`${head(dev, dir)} dma_addr=${hex(dma_addr)} size=${size} virt_addr=${ptr_text(virt_addr)} attrs=${attrs_text(attrs)}`,
	);
}

export function trace_dma_free(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.free.enabled) emit_free(ev.free, dev, virt_addr, dma_addr, size, dir, attrs);
}

export function trace_dma_free_pages(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.free_pages.enabled) emit_free(ev.free_pages, dev, virt_addr, dma_addr, size, dir, attrs);
}

export function trace_dma_free_sgt(dev: device, sgt: sg_table, size: size_t, dir: dma_data_direction): void {
	if (!ev.free_sgt.enabled) return;
	const sgl = sgt.sgl as scatterlist;
	trace_event(
		ev.free_sgt,
		'%s',
		`${head(dev, dir)} dma_addr=${hex(sgl.dma_address)} size=${size} phys_addrs=${phys_addrs(sgl, sgt.orig_nents)}`,
	);
}

/** A longer list is cut in the record. */
const DMA_TRACE_MAX_ENTRIES = 128;

/** The DMA addresses and lengths of the first @n entries. */
function dma_fields(sgl: scatterlist, n: int): [number[], number[]] {
	const addrs: number[] = [];
	const lengths: number[] = [];
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < n && sg !== null; i++, sg = sg_next(sg)) {
		addrs.push(sg.dma_address);
		lengths.push(sg.dma_length);
	}
	return [addrs, lengths];
}

export function trace_dma_map_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	ents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (!ev.map_sg.enabled) return;
	const n = Math.min(nents, DMA_TRACE_MAX_ENTRIES);
	const e = Math.min(ents, DMA_TRACE_MAX_ENTRIES);
	const [addrs, lengths] = dma_fields(sgl, e);
	const cut = n < nents || e < ents ? ' [TRUNCATED]' : '';
	trace_event(
		ev.map_sg,
		'%s',
		`${head(dev, dir)} nents=${n}/${nents} ents=${e}/${ents}${cut} dma_addrs=${array_text(addrs)} sizes=${array_text(lengths)} phys_addrs=${phys_addrs(sgl, n)} attrs=${attrs_text(attrs)}`,
	);
}

export function trace_dma_map_sg_err(
	dev: device,
	sgl: scatterlist,
	nents: int,
	err: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_sg_err.enabled)
		trace_event(
			ev.map_sg_err,
			'%s',
			`${head(dev, dir)} dma_addrs=${phys_addrs(sgl, nents)} err=${err} attrs=${attrs_text(attrs)}`,
		);
}

export function trace_dma_unmap_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_sg.enabled)
		trace_event(
			ev.unmap_sg,
			'%s',
			`${head(dev, dir)} phys_addrs=${phys_addrs(sgl, nents)} attrs=${attrs_text(attrs)}`,
		);
}

function emit_sync_single(
	event: trace_event_call,
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	trace_event(event, '%s', `${head(dev, dir)} dma_addr=${hex(dma_addr)} size=${size}`);
}

export function trace_dma_sync_single_for_cpu(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (ev.sync_single_for_cpu.enabled) emit_sync_single(ev.sync_single_for_cpu, dev, dma_addr, size, dir);
}

export function trace_dma_sync_single_for_device(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (ev.sync_single_for_device.enabled)
		emit_sync_single(ev.sync_single_for_device, dev, dma_addr, size, dir);
}

function emit_sync_sg(
	event: trace_event_call,
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	const [addrs, lengths] = dma_fields(sgl, nents);
	trace_event(event, '%s', `${head(dev, dir)} dma_addrs=${array_text(addrs)} sizes=${array_text(lengths)}`);
}

export function trace_dma_sync_sg_for_cpu(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	if (ev.sync_sg_for_cpu.enabled) emit_sync_sg(ev.sync_sg_for_cpu, dev, sgl, nents, dir);
}

export function trace_dma_sync_sg_for_device(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	if (ev.sync_sg_for_device.enabled) emit_sync_sg(ev.sync_sg_for_device, dev, sgl, nents, dir);
}
