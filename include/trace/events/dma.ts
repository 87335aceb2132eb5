// SPDX-License-Identifier: GPL-2.0-only
// Trace events of the DMA API.
// Linux 6.12: include/trace/events/dma.h
import { gfpflag_names, show_gfp_flags } from '#include/trace/events/mmflags.js';
import {
	__dynamic_array,
	__field,
	__print_symbolic,
	__string,
	DECLARE_EVENT_CLASS,
	DEFINE_EVENT,
	TRACE_EVENT,
} from '#include/trace/trace_events.js';
import { trace_event } from '#kernel/trace/trace.js';
import {
	trace_print_array_seq,
	type trace_print_flags,
	trace_print_flags_seq,
	trace_print_symbols_seq,
} from '#kernel/trace/trace_output.js';
import { do_trace } from '#kernel/tracepoint.js';
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
import { type scatterlist, sg_phys, type sg_table } from '#linux/scatterlist.js';
import type { trace_event_call } from '#linux/trace_events.js';
import type { dma_addr_t, gfp_t, int, phys_addr_t, size_t, unsigned_long, void_ptr } from '#linux/types.js';

const directions = ['BIDIRECTIONAL', 'TO_DEVICE', 'FROM_DEVICE', 'NONE'];

const attr_names: readonly trace_print_flags[] = [
	[DMA_ATTR_WEAK_ORDERING, 'WEAK_ORDERING'],
	[DMA_ATTR_WRITE_COMBINE, 'WRITE_COMBINE'],
	[DMA_ATTR_NO_KERNEL_MAPPING, 'NO_KERNEL_MAPPING'],
	[DMA_ATTR_SKIP_CPU_SYNC, 'SKIP_CPU_SYNC'],
	[DMA_ATTR_FORCE_CONTIGUOUS, 'FORCE_CONTIGUOUS'],
	[DMA_ATTR_ALLOC_SINGLE_PAGES, 'ALLOC_SINGLE_PAGES'],
	[DMA_ATTR_NO_WARN, 'NO_WARN'],
	[DMA_ATTR_PRIVILEGED, 'PRIVILEGED'],
];

const attrs_text = (attrs: unsigned_long): string => trace_print_flags_seq('|', attrs, attr_names);
const gfp_text = (flags: gfp_t): string =>
	flags === 0 ? 'none' : trace_print_flags_seq('|', flags, gfpflag_names);
const dir_text = (dir: dma_data_direction): string => trace_print_symbols_seq(dir, directions);

function phys_addrs(sgl: scatterlist, nents: int): string {
	const values: number[] = [];
	let sg: scatterlist | null = sgl;
	for (let i = 0; i < nents && sg !== null; i++, sg = sg_next(sg)) values.push(sg_phys(sg));
	return trace_print_array_seq(values);
}

// What the records hold, and the C that prints it.
const device_field = __string('device');
const dir_field = __field('enum dma_data_direction', 'dir');
const attrs_field = __field('unsigned long', 'attrs');
const dma_addr_field = __field('u64', 'dma_addr');
const phys_addr_field = __field('u64', 'phys_addr');
const size_field = __field('size_t', 'size');
const flags_field = __field('gfp_t', 'flags');
const virt_addr_field = __field('void *', 'virt_addr');
const phys_addrs_field = __dynamic_array('u64', 'phys_addrs');
const dma_addrs_field = __dynamic_array('u64', 'dma_addrs');
const lengths_field = __dynamic_array('unsigned int', 'lengths');

const dir_expr = __print_symbolic('dir', directions);
const attrs_expr = `__print_flags(REC->attrs, "|", ${attr_names
	.map(([bit, name]) => `{ (1UL << ${Math.log2(bit)}), "${name}" }`)
	.join(', ')})`;
const flags_expr = show_gfp_flags('REC->flags');

const dma_map = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, phys_addr_field, dma_addr_field, size_field, dir_field, attrs_field],
	'%s dir=%s dma_addr=%llx size=%zu phys_addr=%llx attrs=%s',
	['device', dir_expr, 'dma_addr', 'size', 'phys_addr', attrs_expr],
);
const dma_unmap = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, __field('u64', 'addr'), size_field, dir_field, attrs_field],
	'%s dir=%s dma_addr=%llx size=%zu attrs=%s',
	['device', dir_expr, 'addr', 'size', attrs_expr],
);
const dma_alloc_class = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, virt_addr_field, dma_addr_field, size_field, flags_field, dir_field, attrs_field],
	'%s dir=%s dma_addr=%llx size=%zu virt_addr=%p flags=%s attrs=%s',
	['device', dir_expr, 'dma_addr', 'size', 'virt_addr', flags_expr, attrs_expr],
);
const dma_free_class = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, virt_addr_field, dma_addr_field, size_field, dir_field, attrs_field],
	'%s dir=%s dma_addr=%llx size=%zu virt_addr=%p attrs=%s',
	['device', dir_expr, 'dma_addr', 'size', 'virt_addr', attrs_expr],
);
const dma_sync_single = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, dma_addr_field, size_field, dir_field],
	'%s dir=%s dma_addr=%llx size=%zu',
	['device', dir_expr, 'dma_addr', 'size'],
);
const dma_sync_sg = DECLARE_EVENT_CLASS(
	'dma',
	[device_field, dma_addrs_field, lengths_field, dir_field],
	'%s dir=%s dma_addrs=%s sizes=%s',
	['device', dir_expr, 'dma_addrs', 'lengths'],
);

/** A longer list is cut in the record. */
const DMA_TRACE_MAX_ENTRIES = 128;

/** The C of min(): Linux's macro numbers its variables over the whole build. */
function min_expr(item: string, id: int): string {
	const [x, y] = [`__UNIQUE_ID_x_${id}`, `__UNIQUE_ID_y_${id + 1}`];
	return `({ int ${x} = (REC->${item}); int ${y} = (${DMA_TRACE_MAX_ENTRIES}); ((${x}) < (${y}) ? (${x}) : (${y})); })`;
}

const ev = {
	map_page: DEFINE_EVENT(dma_map, 'dma_map_page'),
	map_resource: DEFINE_EVENT(dma_map, 'dma_map_resource'),
	unmap_page: DEFINE_EVENT(dma_unmap, 'dma_unmap_page'),
	unmap_resource: DEFINE_EVENT(dma_unmap, 'dma_unmap_resource'),
	alloc: DEFINE_EVENT(dma_alloc_class, 'dma_alloc'),
	alloc_pages: DEFINE_EVENT(dma_alloc_class, 'dma_alloc_pages'),
	alloc_sgt_err: DEFINE_EVENT(dma_alloc_class, 'dma_alloc_sgt_err'),
	alloc_sgt: TRACE_EVENT(
		'dma',
		'dma_alloc_sgt',
		[device_field, phys_addrs_field, dma_addr_field, size_field, dir_field, flags_field, attrs_field],
		'%s dir=%s dma_addr=%llx size=%zu phys_addrs=%s flags=%s attrs=%s',
		['device', dir_expr, 'dma_addr', 'size', 'phys_addrs', flags_expr, attrs_expr],
	),
	free: DEFINE_EVENT(dma_free_class, 'dma_free'),
	free_pages: DEFINE_EVENT(dma_free_class, 'dma_free_pages'),
	free_sgt: TRACE_EVENT(
		'dma',
		'dma_free_sgt',
		[device_field, phys_addrs_field, dma_addr_field, size_field, dir_field],
		'%s dir=%s dma_addr=%llx size=%zu phys_addrs=%s',
		['device', dir_expr, 'dma_addr', 'size', 'phys_addrs'],
	),
	map_sg: TRACE_EVENT(
		'dma',
		'dma_map_sg',
		[
			device_field,
			__field('int', 'full_nents'),
			__field('int', 'full_ents'),
			__field('bool', 'truncated'),
			phys_addrs_field,
			dma_addrs_field,
			lengths_field,
			dir_field,
			attrs_field,
		],
		'%s dir=%s nents=%d/%d ents=%d/%d%s dma_addrs=%s sizes=%s phys_addrs=%s attrs=%s',
		[
			'device',
			dir_expr,
			min_expr('full_nents', 0),
			'full_nents',
			min_expr('full_ents', 2),
			'full_ents',
			'REC->truncated ? " [TRUNCATED]" : ""',
			'dma_addrs',
			'lengths',
			'phys_addrs',
			attrs_expr,
		],
	),
	map_sg_err: TRACE_EVENT(
		'dma',
		'dma_map_sg_err',
		[device_field, phys_addrs_field, __field('int', 'err'), dir_field, attrs_field],
		'%s dir=%s dma_addrs=%s err=%d attrs=%s',
		['device', dir_expr, 'phys_addrs', 'err', attrs_expr],
	),
	unmap_sg: TRACE_EVENT(
		'dma',
		'dma_unmap_sg',
		[device_field, __dynamic_array('u64', 'addrs'), dir_field, attrs_field],
		'%s dir=%s phys_addrs=%s attrs=%s',
		['device', dir_expr, 'addrs', attrs_expr],
	),
	sync_single_for_cpu: DEFINE_EVENT(dma_sync_single, 'dma_sync_single_for_cpu'),
	sync_single_for_device: DEFINE_EVENT(dma_sync_single, 'dma_sync_single_for_device'),
	sync_sg_for_cpu: DEFINE_EVENT(dma_sync_sg, 'dma_sync_sg_for_cpu'),
	sync_sg_for_device: DEFINE_EVENT(dma_sync_sg, 'dma_sync_sg_for_device'),
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
	trace_event(event, dev_name(dev), dir_text(dir), dma_addr, size, phys_addr, attrs_text(attrs));
}

/** A page was mapped (include/trace/events/dma.h: trace_dma_map_page()). */
export function trace_dma_map_page(
	dev: device,
	phys_addr: phys_addr_t,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_page.probes.length !== 0) do_trace(ev.map_page, dev, phys_addr, dma_addr, size, dir, attrs);
	if (ev.map_page.enabled) emit_map(ev.map_page, dev, phys_addr, dma_addr, size, dir, attrs);
}

/** Device registers were mapped (include/trace/events/dma.h: trace_dma_map_resource()). */
export function trace_dma_map_resource(
	dev: device,
	phys_addr: phys_addr_t,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_resource.probes.length !== 0)
		do_trace(ev.map_resource, dev, phys_addr, dma_addr, size, dir, attrs);
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
	trace_event(event, dev_name(dev), dir_text(dir), addr, size, attrs_text(attrs));
}

/** A page is unmapped (include/trace/events/dma.h: trace_dma_unmap_page()). */
export function trace_dma_unmap_page(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_page.probes.length !== 0) do_trace(ev.unmap_page, dev, addr, size, dir, attrs);
	if (ev.unmap_page.enabled) emit_unmap(ev.unmap_page, dev, addr, size, dir, attrs);
}

/** Device registers are unmapped (include/trace/events/dma.h: trace_dma_unmap_resource()). */
export function trace_dma_unmap_resource(
	dev: device,
	addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_resource.probes.length !== 0) do_trace(ev.unmap_resource, dev, addr, size, dir, attrs);
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
		dev_name(dev),
		dir_text(dir),
		dma_addr,
		size,
		virt_addr,
		gfp_text(flags),
		attrs_text(attrs),
	);
}

/** Coherent memory was allocated, or not (include/trace/events/dma.h: trace_dma_alloc()). */
export function trace_dma_alloc(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc.probes.length !== 0) do_trace(ev.alloc, dev, virt_addr, dma_addr, size, dir, flags, attrs);
	if (ev.alloc.enabled) emit_alloc(ev.alloc, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

/** Pages for streaming were allocated, or not (include/trace/events/dma.h: trace_dma_alloc_pages()). */
export function trace_dma_alloc_pages(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc_pages.probes.length !== 0)
		do_trace(ev.alloc_pages, dev, virt_addr, dma_addr, size, dir, flags, attrs);
	if (ev.alloc_pages.enabled) emit_alloc(ev.alloc_pages, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

/** A non-contiguous allocation failed (include/trace/events/dma.h: trace_dma_alloc_sgt_err()). */
export function trace_dma_alloc_sgt_err(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc_sgt_err.probes.length !== 0)
		do_trace(ev.alloc_sgt_err, dev, virt_addr, dma_addr, size, dir, flags, attrs);
	if (ev.alloc_sgt_err.enabled)
		emit_alloc(ev.alloc_sgt_err, dev, virt_addr, dma_addr, size, dir, flags, attrs);
}

/** Non-contiguous memory was allocated (include/trace/events/dma.h: trace_dma_alloc_sgt()). */
export function trace_dma_alloc_sgt(
	dev: device,
	sgt: sg_table,
	size: size_t,
	dir: dma_data_direction,
	flags: gfp_t,
	attrs: unsigned_long,
): void {
	if (ev.alloc_sgt.probes.length !== 0) do_trace(ev.alloc_sgt, dev, sgt, size, dir, flags, attrs);
	if (!ev.alloc_sgt.enabled) return;
	const sgl = sgt.sgl as scatterlist;
	trace_event(
		ev.alloc_sgt,
		dev_name(dev),
		dir_text(dir),
		sgl.dma_address,
		size,
		phys_addrs(sgl, sgt.orig_nents),
		gfp_text(flags),
		attrs_text(attrs),
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
	trace_event(event, dev_name(dev), dir_text(dir), dma_addr, size, virt_addr, attrs_text(attrs));
}

/** Coherent memory is freed (include/trace/events/dma.h: trace_dma_free()). */
export function trace_dma_free(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.free.probes.length !== 0) do_trace(ev.free, dev, virt_addr, dma_addr, size, dir, attrs);
	if (ev.free.enabled) emit_free(ev.free, dev, virt_addr, dma_addr, size, dir, attrs);
}

/** Pages for streaming are freed (include/trace/events/dma.h: trace_dma_free_pages()). */
export function trace_dma_free_pages(
	dev: device,
	virt_addr: void_ptr | null,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.free_pages.probes.length !== 0) do_trace(ev.free_pages, dev, virt_addr, dma_addr, size, dir, attrs);
	if (ev.free_pages.enabled) emit_free(ev.free_pages, dev, virt_addr, dma_addr, size, dir, attrs);
}

/** Non-contiguous memory is freed (include/trace/events/dma.h: trace_dma_free_sgt()). */
export function trace_dma_free_sgt(dev: device, sgt: sg_table, size: size_t, dir: dma_data_direction): void {
	if (ev.free_sgt.probes.length !== 0) do_trace(ev.free_sgt, dev, sgt, size, dir);
	if (!ev.free_sgt.enabled) return;
	const sgl = sgt.sgl as scatterlist;
	trace_event(
		ev.free_sgt,
		dev_name(dev),
		dir_text(dir),
		sgl.dma_address,
		size,
		phys_addrs(sgl, sgt.orig_nents),
	);
}

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

/** A list was mapped (include/trace/events/dma.h: trace_dma_map_sg()). */
export function trace_dma_map_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	ents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_sg.probes.length !== 0) do_trace(ev.map_sg, dev, sgl, nents, ents, dir, attrs);
	if (!ev.map_sg.enabled) return;
	const n = Math.min(nents, DMA_TRACE_MAX_ENTRIES);
	const e = Math.min(ents, DMA_TRACE_MAX_ENTRIES);
	const [addrs, lengths] = dma_fields(sgl, e);
	const cut = n < nents || e < ents ? ' [TRUNCATED]' : '';
	trace_event(
		ev.map_sg,
		dev_name(dev),
		dir_text(dir),
		n,
		nents,
		e,
		ents,
		cut,
		trace_print_array_seq(addrs),
		trace_print_array_seq(lengths),
		phys_addrs(sgl, n),
		attrs_text(attrs),
	);
}

/** A list was not mapped (include/trace/events/dma.h: trace_dma_map_sg_err()). */
export function trace_dma_map_sg_err(
	dev: device,
	sgl: scatterlist,
	nents: int,
	err: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.map_sg_err.probes.length !== 0) do_trace(ev.map_sg_err, dev, sgl, nents, err, dir, attrs);
	if (ev.map_sg_err.enabled)
		trace_event(ev.map_sg_err, dev_name(dev), dir_text(dir), phys_addrs(sgl, nents), err, attrs_text(attrs));
}

/** A list is unmapped (include/trace/events/dma.h: trace_dma_unmap_sg()). */
export function trace_dma_unmap_sg(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
	attrs: unsigned_long,
): void {
	if (ev.unmap_sg.probes.length !== 0) do_trace(ev.unmap_sg, dev, sgl, nents, dir, attrs);
	if (ev.unmap_sg.enabled)
		trace_event(ev.unmap_sg, dev_name(dev), dir_text(dir), phys_addrs(sgl, nents), attrs_text(attrs));
}

function emit_sync_single(
	event: trace_event_call,
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	trace_event(event, dev_name(dev), dir_text(dir), dma_addr, size);
}

/** The CPU takes a buffer over (include/trace/events/dma.h: trace_dma_sync_single_for_cpu()). */
export function trace_dma_sync_single_for_cpu(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (ev.sync_single_for_cpu.probes.length !== 0) do_trace(ev.sync_single_for_cpu, dev, dma_addr, size, dir);
	if (ev.sync_single_for_cpu.enabled) emit_sync_single(ev.sync_single_for_cpu, dev, dma_addr, size, dir);
}

/** The device takes a buffer over (include/trace/events/dma.h: trace_dma_sync_single_for_device()). */
export function trace_dma_sync_single_for_device(
	dev: device,
	dma_addr: dma_addr_t,
	size: size_t,
	dir: dma_data_direction,
): void {
	if (ev.sync_single_for_device.probes.length !== 0)
		do_trace(ev.sync_single_for_device, dev, dma_addr, size, dir);
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
	trace_event(
		event,
		dev_name(dev),
		dir_text(dir),
		trace_print_array_seq(addrs),
		trace_print_array_seq(lengths),
	);
}

/** The CPU takes a list over (include/trace/events/dma.h: trace_dma_sync_sg_for_cpu()). */
export function trace_dma_sync_sg_for_cpu(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	if (ev.sync_sg_for_cpu.probes.length !== 0) do_trace(ev.sync_sg_for_cpu, dev, sgl, nents, dir);
	if (ev.sync_sg_for_cpu.enabled) emit_sync_sg(ev.sync_sg_for_cpu, dev, sgl, nents, dir);
}

/** The device takes a list over (include/trace/events/dma.h: trace_dma_sync_sg_for_device()). */
export function trace_dma_sync_sg_for_device(
	dev: device,
	sgl: scatterlist,
	nents: int,
	dir: dma_data_direction,
): void {
	if (ev.sync_sg_for_device.probes.length !== 0) do_trace(ev.sync_sg_for_device, dev, sgl, nents, dir);
	if (ev.sync_sg_for_device.enabled) emit_sync_sg(ev.sync_sg_for_device, dev, sgl, nents, dir);
}
