// SPDX-License-Identifier: GPL-2.0-only
// INV-RANGE at the IOMMU's API: iommu_map() and iommu_unmap() of addresses that no IOMMU of this machine has lines for.
// A driver that cuts them down maps, or unmaps, something else, and answers as if all were well: Linux 6.12 checks
// nothing above the aperture.
//
// It hears of every call by the core's tracepoints `map` and `unmap`, which come after the deed and do not name the
// domain. So what counts is the widest IOMMU: of two with different widths, the narrower one's overruns are not seen.

import { hex } from '#hw/core/register-file.js';
import {
	register_trace_map,
	register_trace_unmap,
	unregister_trace_map,
	unregister_trace_unmap,
} from '#include/trace/events/iommu.js';
import type { Dmasan } from '#watch/dmasan.js';

/** Watch the calls; the findings are @dmasan's. The result ends the watch; so does the next boot. */
export function watchIommuRange(dmasan: Dmasan): () => void {
	const { iommus } = dmasan.machine;
	const device = iommus.length === 1 ? iommus[0].name : 'the IOMMUs';
	const lastInput = 2 ** Math.max(0, ...iommus.map((iommu) => iommu.inputBits)) - 1;
	const lastOutput = 2 ** Math.max(0, ...iommus.map((iommu) => iommu.outputBits)) - 1;

	const overrun = (
		call: string,
		iova: number,
		phys: number,
		size: number,
		what: string,
		last: number,
	): void => {
		const first = what === 'address' ? iova : phys;
		const details = [
			`${call}(${hex(iova, 8)}, size ${hex(size)}) was let through; the last ${what} that an IOMMU here has lines for is ${hex(last)}`,
			`The driver may have cut it down: ${hex(first, 8)} is then ${hex(first % (last + 1), 8)}`,
		];
		dmasan.report('INV-RANGE', 'iommu-overrun', device, iova, phys, size, call !== 'iommu_unmap', details);
	};
	const map = (_data: unknown, iova: number, phys: number, size: number): void => {
		if (iova + size - 1 > lastInput) overrun('iommu_map', iova, phys, size, 'address', lastInput);
		if (phys + size - 1 > lastOutput) overrun('iommu_map', iova, phys, size, 'physical address', lastOutput);
	};
	const unmap = (_data: unknown, iova: number, size: number, unmapped: number): void => {
		if (unmapped > 0 && iova + unmapped - 1 > lastInput)
			overrun('iommu_unmap', iova, -1, unmapped, 'address', lastInput);
	};

	if (iommus.length > 0) {
		register_trace_map(map, null);
		register_trace_unmap(unmap, null);
	}
	return () => {
		unregister_trace_map(map, null);
		unregister_trace_unmap(unmap, null);
	};
}
