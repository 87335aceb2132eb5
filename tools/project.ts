// SPDX-License-Identifier: GPL-2.0-only
// Where the project's own files are, whatever folder a program is started in.
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone; this file is build/tools/project.js in it. */
export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** A file of the project by its path in it, as it is said from here. */
export function projectFile(path: string): string {
	const whole = join(PROJECT, path);
	const here = relative(process.cwd(), whole);
	return here.startsWith(`..${sep}`) ? whole : here;
}

const DTS = 'arch/arm64/boot/dts/allwinner';

/** The board that programs boot unless they are told another. */
export const BOARD_DTB = projectFile(`${DTS}/sun50i-h6-orangepi-3.dtb`);
/** The same without an IOMMU. */
export const NO_IOMMU_DTB = projectFile(`${DTS}/sun50i-h6-orangepi-3-noiommu.dtb`);
