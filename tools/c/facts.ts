// SPDX-License-Identifier: GPL-2.0-only
// What C's names are in Linux 6.12: api.json, and here what that does not know.
import { readFileSync } from 'node:fs';

/** A name of Linux's. */
export interface Fact {
	readonly kind: string;
	/** null: a source. */
	readonly header: string | null;
	readonly returns?: string;
	readonly params?: readonly string[];
	/** A struct's, each with its type. */
	readonly members?: Readonly<Record<string, string>>;
	readonly type?: string;
}

const FACTS = JSON.parse(
	readFileSync(new URL('../../../tools/c/api.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, Fact>>;

export const factOf = (name: string): Fact | null => (Object.hasOwn(FACTS, name) ? FACTS[name]! : null);

/** Headers to include for names whose import path, and whose place in Linux, are others. */
const HEADERS: Readonly<Record<string, string>> = {
	upper_32_bits: 'linux/kernel.h',
	lower_32_bits: 'linux/kernel.h',
	container_of: 'linux/container_of.h',
	phys_to_virt: 'linux/io.h',
	virt_to_phys: 'linux/io.h',
	pfn_valid: 'linux/mm.h',
	PHYS_PFN: 'linux/pfn.h',
	get_order: 'linux/mm.h',
	of_phandle_args: 'linux/of.h',
	device_node: 'linux/of.h',
	assert_spin_locked: 'linux/spinlock.h',
	cmpxchg: 'linux/atomic.h',
	put_device: 'linux/device.h',
	get_device: 'linux/device.h',
	of_find_device_by_node: 'linux/of_platform.h',
	platform_get_irq: 'linux/platform_device.h',
	devm_platform_ioremap_resource: 'linux/platform_device.h',
	clk: 'linux/clk.h',
	fls64: 'linux/bitops.h',
	ida: 'linux/idr.h',
	dev_is_dma_coherent: 'linux/dma-map-ops.h',
	of_graph_get_port_by_id: 'linux/of_graph.h',
	of_graph_get_remote_port_parent: 'linux/of_graph.h',
	of_graph_get_remote_port: 'linux/of_graph.h',
	of_graph_get_remote_node: 'linux/of_graph.h',
	of_graph_get_remote_endpoint: 'linux/of_graph.h',
	of_graph_get_endpoint_by_regs: 'linux/of_graph.h',
	of_graph_parse_endpoint: 'linux/of_graph.h',
	drm_encoder: 'drm/drm_encoder.h',
	drm_simple_encoder_init: 'drm/drm_simple_kms_helper.h',
	drm_helper_probe_single_connector_modes: 'drm/drm_probe_helper.h',
	drm_encoder_cleanup: 'drm/drm_encoder.h',
	drm_crtc_helper_funcs: 'drm/drm_modeset_helper_vtables.h',
	drm_crtc_helper_add: 'drm/drm_modeset_helper_vtables.h',
	drm_encoder_helper_funcs: 'drm/drm_modeset_helper_vtables.h',
	drm_encoder_helper_add: 'drm/drm_modeset_helper_vtables.h',
	drm_connector_helper_funcs: 'drm/drm_modeset_helper_vtables.h',
	drm_connector_helper_add: 'drm/drm_modeset_helper_vtables.h',
	drm_plane_helper_funcs: 'drm/drm_modeset_helper_vtables.h',
	drm_plane_helper_add: 'drm/drm_modeset_helper_vtables.h',
	drm_mode_config_helper_funcs: 'drm/drm_modeset_helper_vtables.h',
};

/** Import paths that name no header of Linux's: which header, or none ('') because another brings it along. */
const PATHS: Readonly<Record<string, string>> = {
	'#asm/memory.js': '',
	'#linux/of_node.js': 'linux/of.h',
	'#linux/math64.js': '',
	'#linux/errno.js': '',
	'#linux/types.js': '',
	'#linux/dma-direction.js': 'linux/dma-mapping.h',
	'#drivers/clk/clk.js': 'linux/clk.h',
	'#drivers/clk/clk-bulk.js': 'linux/clk.h',
	'#drivers/clk/clk-devres.js': 'linux/clk.h',
	'#drivers/reset/core.js': 'linux/reset.h',
	'#drivers/base/core.js': 'linux/device.h',
	'#drivers/base/devres.js': 'linux/device.h',
	'#drivers/base/platform.js': 'linux/platform_device.h',
	'#drivers/base/property.js': 'linux/property.h',
	'#drivers/base/power/runtime.js': 'linux/pm_runtime.h',
	'#drivers/base/component.js': 'linux/component.h',
	'#drivers/base/regmap/regmap.js': 'linux/regmap.h',
	'#drivers/of/base.js': 'linux/of.h',
	'#drivers/of/property.js': 'linux/of.h',
	'#drivers/of/of_reserved_mem.js': 'linux/of_reserved_mem.h',
	'#drivers/clk/clk-provider.js': 'linux/clk-provider.h',
	'#drivers/of/platform.js': 'linux/of_platform.h',
	'#drivers/of/device.js': 'linux/of_device.h',
	'#kernel/dma/mapping.js': 'linux/dma-mapping.h',
	'#kernel/irq/manage.js': 'linux/interrupt.h',
	'#kernel/irq/devres.js': 'linux/interrupt.h',
	'#lib/devres.js': 'linux/io.h',
	'#drivers/iommu/iommu-pages.js': 'iommu-pages.h',
};

/** Folders, and names of files, whose headers are elsewhere. */
const FOLDERS: readonly (readonly [RegExp, string])[] = [
	[/^#linux\/(.*)\.js$/, 'linux/$1.h'],
	[/^#asm\/(.*)\.js$/, 'asm/$1.h'],
	[/^#include\/uapi\/(.*)\.js$/, '$1.h'],
	[/^#include\/(.*)\.js$/, '$1.h'],
	[/^#drivers\/gpu\/drm\/([^/]*)\.js$/, 'drm/$1.h'],
	[/^#drivers\/media\/(?:v4l2-core|common\/videobuf2)\/(.*)\.js$/, 'media/$1.h'],
];

/**
 * The header that brings @name, imported from @path; '': none has to be named. Null: not known. @own: that of the same
 * driver's file at @path, if it is one.
 */
export function headerOf(name: string, path: string, own: string | null = null): string | null {
	if (Object.hasOwn(HEADERS, name)) return HEADERS[name]!;
	if (Object.hasOwn(PATHS, path)) return PATHS[path]!;
	for (const [from, to] of FOLDERS) if (from.test(path)) return path.replace(from, to);
	const header = factOf(name)?.header;
	if (header?.startsWith('include/') === true) return header.slice('include/'.length);
	if (own !== null) return own;
	if (header === undefined || header === null) return null;
	return header.slice(header.lastIndexOf('/') + 1);
}

/** The header that has the members of @struct, which the file at @path declares, where others only name it. */
export function headerOfStruct(struct: string, path: string): string | null {
	const place = /(?:^|\/)(include\/(?:drm|media)\/.*)\.ts$/.exec(path)?.[1];
	return place === undefined ? null : headerOf(struct.replace(/^struct /, ''), `#${place}.js`);
}

/** Constants whose type in C is not that of their value. */
export const CONSTANT_TYPES: Readonly<Record<string, string>> = {
	PAGE_SIZE: 'unsigned long',
	PAGE_MASK: 'unsigned long',
	ULONG_MAX: 'unsigned long',
	SIZE_MAX: 'size_t',
	U64_MAX: 'u64',
};

/** Structs that C keeps in tables that nobody changes. */
export const CONST_STRUCTS: ReadonlySet<string> = new Set([
	'iommu_ops',
	'iommu_domain_ops',
	'of_device_id',
	'dev_pm_ops',
	'v4l2_file_operations',
	'v4l2_ioctl_ops',
	'v4l2_m2m_ops',
	'vb2_ops',
	'clk_ops',
	'component_ops',
	'component_master_ops',
	'regmap_config',
	'file_operations',
	'drm_driver',
	'drm_connector_funcs',
	'drm_connector_helper_funcs',
	'drm_crtc_funcs',
	'drm_crtc_helper_funcs',
	'drm_encoder_helper_funcs',
	'drm_mode_config_funcs',
	'drm_mode_config_helper_funcs',
	'drm_plane_funcs',
	'drm_plane_helper_funcs',
	'drm_format_info',
]);

/** Functions that answer nothing in Linux, and here say whether they failed. */
export const VOIDS: ReadonlySet<string> = new Set(['drm_mode_config_reset']);

/** Enumerations of Linux's whose names here are those of integers. */
export const ENUMS: ReadonlySet<string> = new Set([
	'drm_mode_status',
	'drm_color_encoding',
	'drm_color_range',
]);

/** Structs whose `owner` is the module, and which do not have it here. */
export const OWNED: ReadonlySet<string> = new Set(['v4l2_file_operations', 'file_operations']);

/** Structs that are never parts of an array: an array of them has their addresses. */
export const POINTED: ReadonlySet<string> = new Set(['page', 'device']);

/** What a struct that others extend is called in them, where it is not the last word of its name. */
export const BASE_MEMBERS: Readonly<Record<string, string>> = {
	drm_gem_object: 'base',
	drm_device: 'drm',
	vb2_buffer: 'vb2_buf',
	vb2_v4l2_buffer: 'vb',
	v4l2_m2m_buffer: 'm2m_buf',
	clk_hw: 'hw',
};

/** Linux's functions that answer and change nothing. Without effect two may stand in one expression. */
export const PURE: ReadonlySet<string> = new Set([
	'BIT',
	'GENMASK',
	'FIELD_GET',
	'FIELD_PREP',
	'DMA_BIT_MASK',
	'PAGE_ALIGN',
	'ALIGN',
	'ALIGN_DOWN',
	'IS_ALIGNED',
	'PHYS_PFN',
	'PFN_PHYS',
	'lower_32_bits',
	'upper_32_bits',
	'virt_to_phys',
	'phys_to_virt',
	'phys_to_virt_words',
	'words',
	'bytes',
	'shl64',
	'shr64',
	'and64',
	'or64',
	'ilog2',
	'fls',
	'fls64',
	'ffs',
	'__ffs',
	'min',
	'max',
	'get_order',
	'dev_name',
	'IS_ERR',
	'PTR_ERR',
	'ERR_PTR',
	'test_bit',
	'dma_mapping_error',
	'dev_iommu_priv_get',
	'dev_iommu_fwspec_get',
	'platform_get_drvdata',
	'dev_get_drvdata',
	'pfn_valid',
	'list_empty',
	'dev_is_dma_coherent',
	'drm_rect_width',
	'drm_rect_height',

	'page_to_pfn',
	'page_to_phys',
	'pfn_to_page',
	'nth_page',
	'sg_at',
	'sg_page',
	'sg_phys',
	'sg_virt',
	'sg_is_last',
	'sg_is_chain',
	'sg_chain_ptr',
	'sg_dma_address',
	'sg_dma_len',
]);

/** Names that C has taken. */
export const KEYWORDS: ReadonlySet<string> = new Set(
	(
		'auto break case char const continue default do double else enum extern float for goto if inline int long ' +
		'register restrict return short signed sizeof static struct switch typedef union unsigned void volatile ' +
		'while asm typeof current'
	).split(' '),
);
