// SPDX-License-Identifier: GPL-2.0-only
// INV-RANGE at the IOMMU's API: iommu_map() of addresses that an IOMMU has no lines for. A driver that cuts them down
// maps something else, and answers as if all were well: Linux 6.12 checks nothing above the aperture.
//
// It hears of every call by the core's tracepoint `map`, which comes after the deed and does not name the domain. So it
// looks where the address would be once it is cut down: what leads to that memory there is the evidence.

import { hex } from '#hw/core/register-file.js';
import { POWERS } from '#hw/iommu/format.js';
import { type Iommu, NO_PASID } from '#hw/iommu/iommu.js';
import { register_trace_map, unregister_trace_map } from '#include/trace/events/iommu.js';
import type { Watched, Watcher } from './watcher.js';

export class IommuRange implements Watcher {
	constructor(readonly watched: Watched) {}

	watchKernel(): () => void {
		if (this.watched.machine.iommus.length === 0) return () => {};
		const map = (_data: unknown, iova: number, phys: number, size: number): void =>
			this.#map(iova, phys, size);
		register_trace_map(map, null);
		return () => {
			unregister_trace_map(map, null);
		};
	}

	#map(iova: number, phys: number, size: number): void {
		for (const iommu of this.watched.machine.iommus) {
			const inputs = POWERS[iommu.inputBits];
			const outputs = POWERS[iommu.outputBits];
			if (iova + size <= inputs && phys + size <= outputs) continue;
			// The last byte is beyond whatever is beyond.
			const [last, lastPhys] = [iova + size - 1, phys + size - 1];
			if (!this.#leads(iommu, last % inputs, lastPhys % outputs)) continue;
			const cut =
				last >= inputs
					? `${hex(last)} is mapped at ${hex(last % inputs)}: the last address is ${hex(inputs - 1)}`
					: `what is mapped is ${hex(lastPhys % outputs)}, not ${hex(lastPhys)}: the last one is ${hex(outputs - 1)}`;
			this.watched.find({
				invariant: 'INV-RANGE',
				kind: 'iommu-overrun',
				device: iommu.name,
				moment: 'return',
				what: 'iommu_map()',
				place: hex(iova),
				details: [
					`iommu_map(${hex(iova, 8)}, ${hex(phys, 8)}, size ${hex(size)}) was let through, and the driver has cut an address down`,
					`${cut} that this IOMMU has lines for`,
				],
				advice: `map_pages() puts an address into its table word without looking whether it fits: it should answer -EINVAL, and the domain's geometry should end at ${hex(inputs - 1)}`,
			});
		}
	}

	/** Whether a stream of @iommu now comes to @phys at @iova. */
	#leads(iommu: Iommu, iova: number, phys: number): boolean {
		const { machine } = this.watched;
		return machine.ports.some(
			(port) => machine.iommuOf(port) === iommu && iommu.leaf(port.stream, NO_PASID, iova).phys === phys,
		);
	}
}
