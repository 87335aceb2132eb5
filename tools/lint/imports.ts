// SPDX-License-Identifier: GPL-2.0-only
// DESIGN.md's import rules: one door from kernel to machine, which cycles are.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const KERNEL = ['arch', 'drivers', 'fs', 'include', 'init', 'kernel', 'lib', 'mm'];
const MACHINE = ['hw', 'watch', 'tools', 'tests', 'examples'];
/** What watches, and may be watched by nobody but these. */
const ABOVE_WATCH = ['tools', 'tests', 'examples'];
const ALIASES: Record<string, string> = {
	'#linux/': 'include/linux/',
	'#include/': 'include/',
	'#asm/': 'arch/arm64/include/asm/',
};
/**
 * Where a kernel file calls back into one that it is called by, as Linux's own two files do. Each pair is the call
 * that closes the circle: without these there is no import cycle at all. A pair that closes none is reported too.
 */
const CALLS_BACK: readonly (readonly [string, string])[] = [
	// A device is added to its bus and class, and probed; its links and its bounce buffers are made with it.
	['drivers/base/core.ts', 'drivers/base/bus.ts'],
	['drivers/base/core.ts', 'drivers/base/class.ts'],
	// It is entered in the list of those that sleep with the system; sleeping, it is held and not probed.
	['drivers/base/core.ts', 'drivers/base/power/main.ts'],
	['drivers/base/core.ts', 'drivers/base/dd.ts'],
	['drivers/base/core.ts', 'kernel/dma/swiotlb.ts'],
	// fw_devlink.ts is the part of Linux's core.c that links by firmware nodes.
	['drivers/base/core.ts', 'drivers/base/fw_devlink.ts'],
	['drivers/base/dd.ts', 'drivers/base/fw_devlink.ts'],
	// A bus tries its drivers, and drivers look for devices on their bus.
	['drivers/base/dd.ts', 'drivers/base/bus.ts'],
	['drivers/base/driver.ts', 'drivers/base/bus.ts'],
	// Properties of a node that stand for an address or an interrupt.
	['drivers/of/property.ts', 'drivers/of/address.ts'],
	['drivers/of/property.ts', 'drivers/of/irq.ts'],
	['drivers/of/fdt.ts', 'drivers/of/of_reserved_mem.ts'],
	// The IOMMU core listens on the bus that asks it for a domain, and makes the DMA back end that maps through it.
	['drivers/iommu/iommu.ts', 'drivers/base/platform.ts'],
	['drivers/iommu/iommu.ts', 'drivers/iommu/dma-iommu.ts'],
	// A header in Linux, with inline functions over the core.
	['drivers/iommu/iommu-priv.ts', 'drivers/iommu/iommu.ts'],
	// dma_pgprot() and dma_addressing_limited() serve the back ends that the DMA API calls.
	['drivers/iommu/dma-iommu.ts', 'kernel/dma/mapping.ts'],
	['kernel/dma/direct.ts', 'kernel/dma/mapping.ts'],
	['kernel/dma/ops_helpers.ts', 'kernel/dma/mapping.ts'],
	// An object's handles and its exported buffer keep each other.
	['drivers/gpu/drm/drm_gem.ts', 'drivers/gpu/drm/drm_prime.ts'],
	// A framebuffer that goes is taken off its planes, and a property is set, by a commit.
	['drivers/gpu/drm/drm_framebuffer.ts', 'drivers/gpu/drm/drm_atomic.ts'],
	['drivers/gpu/drm/drm_framebuffer.ts', 'drivers/gpu/drm/drm_atomic_uapi.ts'],
	['drivers/gpu/drm/drm_mode_object.ts', 'drivers/gpu/drm/drm_atomic.ts'],
	['drivers/gpu/drm/drm_mode_object.ts', 'drivers/gpu/drm/drm_atomic_uapi.ts'],
	// A timing controller makes its CRTC, which switches it on and off.
	['drivers/gpu/drm/sun4i/sun4i_tcon.ts', 'drivers/gpu/drm/sun4i/sun4i_crtc.ts'],
	// An allocation that fails shows what there is.
	['mm/page_alloc.ts', 'mm/show_mem.ts'],
	// A trace says how far the kernel is to be trusted.
	['kernel/panic.ts', 'lib/dump_stack.ts'],
	// Flow handlers set triggers; a spurious line is disabled; a descriptor is found through its domain.
	['kernel/irq/chip.ts', 'kernel/irq/manage.ts'],
	['kernel/irq/spurious.ts', 'kernel/irq/chip.ts'],
	['kernel/irq/irqdesc.ts', 'kernel/irq/irqdomain.ts'],
];

/** The only kernel file that the machine may name, and only its types. */
const DOOR = 'arch/arm64/include/asm/machine.ts';

/** What the models may use; no `node:` module is among them. */
const HW_PACKAGES = ['jpeg-js'];

interface Import {
	readonly from: string;
	readonly to: string;
	readonly typeOnly: boolean;
	readonly line: number;
}

const top = (path: string): string => path.split('/')[0] ?? '';

function sources(dir: string, out: string[] = []): string[] {
	for (const name of readdirSync(dir)) {
		const path = join(dir, name);
		if (statSync(path).isDirectory()) sources(path, out);
		else if (name.endsWith('.ts')) out.push(path);
	}
	return out;
}

/** The file that @specifier names, or null for a package. */
function resolve(from: string, specifier: string): string | null {
	let path: string | null = null;
	if (specifier.startsWith('.')) path = normalize(join(dirname(from), specifier));
	else if (specifier.startsWith('#')) {
		const alias = Object.keys(ALIASES).find((a) => specifier.startsWith(a));
		path = alias ? ALIASES[alias] + specifier.slice(alias.length) : specifier.slice(1);
	}
	return path === null ? null : path.replace(/\.js$/, '.ts');
}

function importsOf(file: string): Import[] {
	const text = readFileSync(file, 'utf8');
	const found: Import[] = [];
	for (const m of text.matchAll(/^(import|export)(\s+type)?\s[^;]*?from\s+'([^']+)'|^import\s+'([^']+)'/gm)) {
		const specifier = m[3] ?? m[4] ?? '';
		const to = resolve(file, specifier);
		const typeOnly =
			m[2] !== undefined || /^import\s*\{(\s*type\s+\w+(\s+as\s+\w+)?\s*,?)+\}\s*from/.test(m[0]);
		const line = text.slice(0, m.index).split('\n').length;
		if (to !== null) found.push({ from: file, to, typeOnly, line });
		else if (KERNEL.includes(top(file)) || ['hw', 'watch'].includes(top(file)))
			found.push({ from: file, to: `package ${specifier}`, typeOnly, line });
	}
	return found;
}

function checkBorders(imports: Import[]): string[] {
	const bad: string[] = [];
	for (const i of imports) {
		const at = `${i.from}:${i.line}`;
		if (KERNEL.includes(top(i.from))) {
			if (i.to.startsWith('package '))
				bad.push(`${at}: kernel code has no runtime dependency, found ${i.to}`);
			else if (MACHINE.includes(top(i.to))) bad.push(`${at}: kernel code may not import ${i.to}`);
		} else if (top(i.from) === 'hw' && i.to.startsWith('package ')) {
			if (!HW_PACKAGES.includes(i.to.slice('package '.length)))
				bad.push(
					`${at}: hw/ runs in a browser too and may import only ${HW_PACKAGES.join(', ')}, found ${i.to}`,
				);
		} else if (top(i.from) === 'hw' && KERNEL.includes(top(i.to)) && !(i.to === DOOR && i.typeOnly))
			bad.push(`${at}: hw/ may import nothing of the kernel but the types of ${DOOR}, found ${i.to}`);
		else if (top(i.from) === 'hw' && MACHINE.includes(top(i.to)) && top(i.to) !== 'hw')
			bad.push(`${at}: hw/ may not import ${i.to}`);
		else if (top(i.from) === 'watch' && ABOVE_WATCH.includes(top(i.to)))
			bad.push(`${at}: watch/ may not import ${i.to}`);
	}
	return bad;
}

const isCallBack = (i: Import): boolean => CALLS_BACK.some(([from, to]) => i.from === from && i.to === to);

/** The strongly connected parts of the import graph that have more than one file (Tarjan). */
function cycles(imports: Import[]): string[][] {
	const edges = new Map<string, string[]>();
	for (const i of imports) if (!i.typeOnly) edges.set(i.from, [...(edges.get(i.from) ?? []), i.to]);
	const index = new Map<string, number>();
	const low = new Map<string, number>();
	const stack: string[] = [];
	const found: string[][] = [];
	const visit = (v: string): void => {
		index.set(v, index.size);
		low.set(v, index.get(v)!);
		stack.push(v);
		for (const w of edges.get(v) ?? []) {
			if (!index.has(w)) {
				visit(w);
				low.set(v, Math.min(low.get(v)!, low.get(w)!));
			} else if (stack.includes(w)) low.set(v, Math.min(low.get(v)!, index.get(w)!));
		}
		if (low.get(v) !== index.get(v)) return;
		const part = stack.splice(stack.indexOf(v));
		if (part.length > 1) found.push(part.sort());
	};
	for (const v of edges.keys()) if (!index.has(v)) visit(v);
	return found;
}

/** Listed pairs that close no circle any more: the second file does not lead to the first, or is not imported. */
function staleCallBacks(imports: Import[]): string[] {
	const parts = cycles(imports);
	return CALLS_BACK.filter(
		([from, to]) =>
			!imports.some((i) => !i.typeOnly && i.from === from && i.to === to) ||
			!parts.some((part) => part.includes(from) && part.includes(to)),
	).map(([from, to]) => `${from} -> ${to} is listed as a call back, and closes no cycle`);
}

const imports = [...KERNEL, ...MACHINE].flatMap((dir) => sources(dir)).flatMap(importsOf);
const problems = [...checkBorders(imports), ...staleCallBacks(imports)];
for (const part of cycles(imports.filter((i) => !isCallBack(i))))
	problems.push(`import cycle: ${part.join(', ')}`);
for (const p of problems) console.error(p);
if (problems.length > 0) process.exitCode = 1;
