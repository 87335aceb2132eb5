// SPDX-License-Identifier: GPL-2.0-only
// Which files are in the kernel subset, and who uses what of them.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { factOf } from '#tools/c/facts.js';

/** What `make c` writes, and `make lint` holds to the subset. */
export const IN_SUBSET: readonly string[] = [
	'drivers/iommu/edu-iommu.ts',
	'drivers/iommu/rockchip-iommu.ts',
	'drivers/iommu/sun50i-iommu.ts',
];

/** What `make c` writes too: drivers of several files, of which only the syntax is compared with Linux's headers. */
export const CLIENTS: readonly string[] = [
	'drivers/gpu/drm/sun4i/sun4i_crtc.ts',
	'drivers/gpu/drm/sun4i/sun4i_drv_types.ts',
	'drivers/gpu/drm/sun4i/sun4i_tcon.ts',
	'drivers/gpu/drm/sun4i/sun8i_csc.ts',
	'drivers/gpu/drm/sun4i/sun8i_dw_hdmi.ts',
	'drivers/gpu/drm/sun4i/sun8i_formats.ts',
	'drivers/gpu/drm/sun4i/sun8i_mixer.ts',
	'drivers/gpu/drm/sun4i/sun8i_mixer_regs.ts',
	'drivers/gpu/drm/sun4i/sun8i_ui_layer.ts',
	'drivers/gpu/drm/sun4i/sun8i_vi_layer.ts',
	'drivers/gpu/drm/sun4i/sun8i_vi_scaler.ts',
	'drivers/gpu/drm/sun4i/sunxi_engine.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_dec.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_hw.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_jpeg.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_regs.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_types.ts',
	'drivers/staging/media/sunxi/cedrus/cedrus_video.ts',
];

/** Where kernel code is: what is used by these is not static in C. */
const KERNEL = ['arch', 'drivers', 'fs', 'include', 'init', 'kernel', 'lib', 'mm'];

function sources(folder: string, out: string[] = []): string[] {
	for (const name of readdirSync(folder)) {
		const path = join(folder, name);
		if (statSync(path).isDirectory()) sources(path, out);
		else if (name.endsWith('.ts')) out.push(path);
	}
	return out;
}

const IMPORT = /(?:import|export) (?:type )?\{([^}]*)\} from '([^']+)'/g;

type FileOf = (path: string, from: string) => string | null;

/** The names that @file imports, by the file that it gets them from. */
function* importsOf(file: string, fileOf: FileOf): Generator<[string, string[]]> {
	for (const [, names, path] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
		const target = fileOf(path!, file);
		if (target === null) continue;
		yield [
			target,
			names!.split(',').map((n) =>
				n
					.trim()
					.replace(/^type /, '')
					.replace(/ as .*/, ''),
			),
		];
	}
}

/** Names that kernel files of the project at @root import from others, by file. */
export class Uses {
	private readonly byFile = new Map<string, Set<string>>();

	constructor(
		root: string,
		private readonly fileOf: FileOf,
	) {
		for (const folder of KERNEL)
			for (const file of sources(join(root, folder)))
				for (const [target, names] of importsOf(file, fileOf)) {
					const known = this.byFile.get(target) ?? new Set();
					this.byFile.set(target, known);
					for (const n of names) known.add(n);
				}
	}

	/** What others use of @file. */
	of(file: string): ReadonlySet<string> {
		return this.byFile.get(resolve(file)) ?? new Set();
	}

	/** What other files of its driver, which are in its folder, use of @file; what Linux has a header for is not meant. */
	ofDriver(file: string): ReadonlySet<string> {
		const used = new Set<string>();
		for (const name of readdirSync(dirname(resolve(file)))) {
			const other = join(dirname(resolve(file)), name);
			if (!name.endsWith('.ts') || other === resolve(file)) continue;
			for (const [target, names] of importsOf(other, this.fileOf))
				if (target === resolve(file))
					for (const n of names) if (factOf(n)?.header?.startsWith('include/') !== true) used.add(n);
		}
		return used;
	}
}

/** @path as others of the project call it; a path of somebody else's stays as it is. */
export function nameIn(root: string, path: string): string {
	const name = relative(root, resolve(path));
	return name.startsWith('..') ? path : name;
}
