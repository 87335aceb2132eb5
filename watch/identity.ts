// SPDX-License-Identifier: GPL-2.0-only
// Who a device is to its IOMMU, and whether that stands in between at all.
//
//   EXP-BYPASS an access passes untranslated, and the kernel has not asked for that
//   INV-PWR    the same where a domain with tables, or one that blocks, is attached and in force
//   EXP-ID     an access under a stream number that is not the device's

import type { DmaPort } from '#hw/core/dma-port.js';
import { hex } from '#hw/core/register-file.js';
import { type Iommu, NO_PASID, WRITE } from '#hw/iommu/iommu.js';
import { IOMMU_DOMAIN_IDENTITY } from '#linux/iommu.js';
import { RPM_ACTIVE } from '#linux/pm.js';
import type { Balance } from './balance.js';
import type { Devices } from './devices.js';
import type { Watched, Watcher } from './watcher.js';

export class Identity implements Watcher {
	constructor(
		readonly watched: Watched,
		readonly devices: Devices,
		readonly balance: Balance,
	) {}

	answered(
		iommu: Iommu,
		stream: number,
		_pasid: number,
		iova: number,
		access: number,
		phys: number,
		entry: object | null,
	): void {
		if (entry !== null || !this.watched.running) return;
		const state = iommu.state(stream, NO_PASID);
		if (state !== 'off' && state !== 'bypass') return;
		const { machine } = this.watched;
		const port = machine.ports.find((p) => p.stream === stream && machine.iommuOf(p) === iommu);
		if (port === undefined) return;
		const domain = this.devices.domainOf(port.name);
		if (domain !== null && domain.type === IOMMU_DOMAIN_IDENTITY) return;
		const finding = {
			device: port.name,
			moment: 'access',
			place: state,
			access: { addr: iova, phys, size: 1, write: (access & WRITE) !== 0 },
		} as const;
		const stands = `${iommu.name} is "${state}" for stream ${stream}`;
		this.watched.find({
			...finding,
			invariant: 'EXP-BYPASS',
			kind: 'untranslated',
			details: [`${stands}: the access reaches whatever memory it names`],
			advice: `nothing stops ${port.name} ${domain === null ? 'until its IOMMU has a driver and a domain' : 'while its IOMMU is not in force'}`,
		});
		// While it changes, or without power, that is the hardware's state for a moment.
		if (domain === null || this.balance.changing || this.#isSuspended(port)) return;
		this.watched.find({
			...finding,
			invariant: 'INV-PWR',
			kind: 'untranslated-access',
			details: [
				`${stands}, and the core has a domain attached that ${domain.ops === null ? 'blocks' : 'translates'}`,
			],
			advice: `something has turned translation off (or bypass on) after the attach, or has lost it (a reset, a suspend without a resume), or the attach that failed was not told of: ${port.name} wrote ${hex(iova, 8)} as if it were physical`,
		});
	}

	access(port: DmaPort, addr: number, phys: number, size: number, write: boolean): void {
		const fwspec = this.devices.find(port.name)?.iommu?.fwspec ?? null;
		if (fwspec === null || fwspec.num_ids === 0 || port.stream < 0) return;
		for (let i = 0; i < fwspec.num_ids; i++) if (fwspec.ids[i] === port.stream) return;
		const dev = this.devices.find(port.name)!;
		// A tree may name two IOMMUs; the kernel knows the last one's numbers.
		const behind = this.watched.machine.iommuOf(port);
		if (behind !== null && behind.name !== dev.iommu?.iommu_dev?.dev?.parent?.kobj.name) return;
		this.watched.find({
			invariant: 'EXP-ID',
			kind: 'foreign-stream',
			device: port.name,
			moment: 'access',
			place: `${port.stream}`,
			access: { addr, phys, size, write },
			details: [
				`${port.name} uses stream ${port.stream}; the kernel knows it by ${fwspec.ids.slice(0, fwspec.num_ids).join(', ')}`,
			],
			advice: `of_xlate() has taken the number from the wrong cell of "iommus", or the device forges its stream`,
		});
	}

	#isSuspended(port: DmaPort): boolean {
		const power = this.devices.find(port.name)?.iommu?.iommu_dev?.dev?.parent?.power;
		return power !== undefined && power.disable_depth === 0 && power.runtime_status !== RPM_ACTIVE;
	}
}
