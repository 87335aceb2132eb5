// SPDX-License-Identifier: GPL-2.0-only
// What is left of a driver when it has gone from a device, and what the core's records say of each other.
//
//   INV-LEAK clocks, resets, references and interrupts that remove(), or a probe() that has failed, did not give back
//   INV-REFS a group, its devices, its domain and its references do not agree

import { bus_register_notifier, bus_unregister_notifier } from '#drivers/base/bus.js';
import { platform_bus_type } from '#drivers/base/platform.js';
import { type clk_core, of_clk_get_hw_at } from '#drivers/clk/clk.js';
import type { iommu_group } from '#drivers/iommu/iommu.js';
import { irq_to_desc, NR_IRQS } from '#kernel/irq/irqdesc.js';
import { atomic_read } from '#linux/atomic.js';
import {
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_DRIVER_NOT_BOUND,
	BUS_NOTIFY_UNBIND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER,
	dev_name,
	type device,
} from '#linux/device.js';
import { IS_ERR } from '#linux/err.js';
import { kref_read } from '#linux/kref.js';
import { list_for_each_entry } from '#linux/list.js';
import { notifier_block } from '#linux/notifier.js';
import { SLAB_KMALLOC } from '#mm/slab.js';
import { slab_state } from '#mm/slub.js';
import type { Devices } from './devices.js';
import type { Watched, Watcher } from './watcher.js';

/** What a device has that its driver switches. */
interface Held {
	readonly name: string;
	readonly count: number;
}

export class Resources implements Watcher {
	/** Before the driver came. */
	readonly #before = new Map<device, readonly Held[]>();
	/** Users of runtime PM: before the probe; then those that it has added; then how many remove() is to leave. */
	readonly #users = new Map<device, number>();
	/** Its probe has failed; what it has by devres goes with it, a moment later. */
	readonly #failed = new Map<device, string>();

	readonly #notifier = new notifier_block((_nb, event, data) => {
		this.#notified(event, data as device);
		return 0;
	});

	constructor(
		readonly watched: Watched,
		readonly devices: Devices,
	) {}

	watchKernel(): () => void {
		this.#before.clear();
		this.#failed.clear();
		this.#users.clear();
		this.busesStand();
		return () => {
			bus_unregister_notifier(platform_bus_type, this.#notifier);
		};
	}

	/** A kernel that boots has none before. */
	busesStand(): void {
		bus_unregister_notifier(platform_bus_type, this.#notifier);
		bus_register_notifier(platform_bus_type, this.#notifier);
	}

	quiet(operation: string): void {
		if (!this.watched.running) return;
		this.#settleFailed();
		for (const group of new Set([...this.devices.all()].map((dev) => dev.iommu_group)))
			if (group !== null) this.#group(operation, group);
	}

	#notified(event: number, dev: device): void {
		if (!this.watched.machine.models.has(dev_name(dev))) return;
		this.#settleFailed();
		const fn = dev.driver?.name ?? 'the driver';
		const users = atomic_read(dev.power.usage_count);
		if (event === BUS_NOTIFY_BIND_DRIVER) {
			this.#before.set(dev, this.#held(dev));
			this.#users.set(dev, users);
		} else if (event === BUS_NOTIFY_DRIVER_NOT_BOUND) this.#failed.set(dev, fn);
		// Others than the driver may use the device, before it goes and after.
		else if (event === BUS_NOTIFY_BOUND_DRIVER) this.#users.set(dev, users - (this.#users.get(dev) ?? users));
		else if (event === BUS_NOTIFY_UNBIND_DRIVER) {
			const taken = this.#users.get(dev);
			// The core has it in use for the moment.
			if (taken !== undefined) this.#users.set(dev, users - 1 - taken);
		} else if (event === BUS_NOTIFY_UNBOUND_DRIVER) this.#compare(dev, 'remove()', 'INV-LEAK');
	}

	#settleFailed(): void {
		for (const [dev, driver] of [...this.#failed]) {
			this.#failed.delete(dev);
			this.#compare(dev, `the probe of ${driver}`, 'INV-ERR');
		}
	}

	#compare(dev: device, fn: string, invariant: 'INV-LEAK' | 'INV-ERR'): void {
		const before = this.#before.get(dev);
		this.#before.delete(dev);
		const users = this.#users.get(dev);
		this.#users.delete(dev);
		if (users !== undefined) {
			const name = 'its runtime-PM usage count';
			this.#left(dev, fn, invariant, { name, count: atomic_read(dev.power.usage_count) }, users);
		}
		const held = before === undefined ? [] : this.#held(dev);
		for (const [i, now] of held.entries()) this.#left(dev, fn, invariant, now, before![i].count);
	}

	#left(
		dev: device,
		fn: string,
		invariant: 'INV-LEAK' | 'INV-ERR',
		{ name, count }: Held,
		was: number,
	): void {
		if (count !== was)
			this.watched.find({
				invariant,
				kind: 'left-by-driver',
				device: dev_name(dev),
				moment: 'return',
				place: `${fn} ${name}`,
				details: [
					`${fn} of ${dev_name(dev)} has ended, and ${name} is ${count}; before the driver came it was ${was}`,
				],
				advice: `${fn} ${count > was ? 'does not give back' : 'gives back what it has not taken of'} ${name}: an undo is missing (or one too many) at its end, or in a goto that skips it`,
			});
	}

	#held(dev: device): Held[] {
		const name = dev_name(dev);
		const { machine } = this.watched;
		const clocks: clk_core[] = [];
		for (let i = 0; dev.of_node !== null; i++) {
			const hw = of_clk_get_hw_at(dev.of_node, i, null);
			if (IS_ERR(hw) || hw.core === null) break;
			if (machine.sharersOfClock(name, i) === 1) clocks.push(hw.core);
		}
		let interrupts = 0;
		for (let irq = 0; irq < NR_IRQS; irq++)
			for (let action = irq_to_desc(irq)?.action ?? null; action !== null; action = action.next)
				if (action.name === name) interrupts++;
		let caches = 0;
		for (const cache of list_for_each_entry(slab_state.slab_caches))
			if (cache.type === null && (cache.flags & SLAB_KMALLOC) === 0) caches++;
		return [
			{ name: 'the number of its interrupts that are requested', count: interrupts },
			{ name: 'the number of slab caches', count: caches },
			...clocks.flatMap((core) => [
				{ name: `the enable count of clock ${core.name}`, count: core.enable_count },
				{ name: `the prepare count of clock ${core.name}`, count: core.prepare_count },
			]),
		];
	}

	#group(operation: string, group: iommu_group): void {
		const wrong: string[] = [];
		let members = 0;
		let kept = 0;
		for (const { dev } of list_for_each_entry(group.devices)) {
			members++;
			// An IOMMU with one group for all keeps it.
			if (dev.iommu?.iommu_dev?.singleton_group === group) kept = 1;
			if (dev.iommu_group !== group)
				wrong.push(
					`${dev_name(dev)} is in its list, and names ${dev.iommu_group === null ? 'none' : 'another'}`,
				);
		}
		const refs = group.devices_kobj === null ? members : kref_read(group.devices_kobj.kref);
		if (refs !== members + kept) {
			const holders = kept === 0 ? `${members} devices` : `${members} devices and its IOMMU`;
			wrong.push(`it has ${refs} references, and ${holders} hold one each`);
		}
		if ((group.owner !== null && group.owner_cnt === 0) || group.owner_cnt > 0x7fff_ffff)
			wrong.push(
				`its owner_cnt is ${group.owner_cnt}, and ${group.owner === null ? 'nobody owns it' : 'it is owned'}`,
			);
		for (const text of wrong)
			this.watched.find({
				invariant: 'INV-REFS',
				kind: 'group-out-of-step',
				device: `group ${group.id}`,
				moment: 'quiet',
				place: `${group.id} ${text}`,
				details: [`After ${operation}, of group ${group.id}: ${text}`],
				advice: `an iommu_group_get() has no iommu_group_put() (or the reverse), or a device was added or removed by half: look at what ${operation} does with group ${group.id}`,
			});
	}
}
