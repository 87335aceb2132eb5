// SPDX-License-Identifier: GPL-2.0-only
// The power management units of RK3399 and RK356x: which domains have power, and which of their buses are idle.
//
// A block asks here whether its domain works. Bits and offsets: Linux 6.12,
// drivers/pmdomain/rockchip/pm-domains.c (rk3399_pmu, rk3399_pm_domains, rk3568_pmu, rk3568_pm_domains). Which domain
// lies in which other the tree says. After a reset every domain has power.
//
// Not modelled: the time that a transition takes, domains of processors, wake-up and sleep of the chip.

import type { FdtNode } from '#hw/core/fdt.js';
import { hiwordMerge } from '#hw/core/hiword.js';
import type { DeviceModel, ModelFactory, Models, PowerDomainProvider } from '#hw/core/model.js';
import { RegisterFile } from '#hw/core/register-file.js';

/** [number, name, bit of its power switch (-1: none of its own), bit of its bus's idle request (-1: none)]. */
export type PmuDomain = readonly [id: number, name: string, power: number, idle: number];

export interface PmuTable {
	readonly power: number;
	readonly status: number;
	readonly request: number;
	readonly ack: number;
	readonly idle: number;
	/** The upper half of a word says which bits of the lower one a write means. */
	readonly hiword: boolean;
	readonly domains: readonly PmuDomain[];
}

export const PMU_RK3399: PmuTable = {
	power: 0x14,
	status: 0x18,
	request: 0x60,
	idle: 0x64,
	ack: 0x68,
	hiword: false,
	domains: [
		[8, 'tcpd0', 8, -1],
		[9, 'tcpd1', 9, -1],
		[10, 'cci', 10, -1],
		[11, 'cci0', -1, 15],
		[12, 'cci1', -1, 16],
		[13, 'perilp', 11, 1],
		[14, 'perihp', 12, 2],
		[15, 'vio', 14, 17],
		[16, 'vo', 20, -1],
		[17, 'vopb', -1, 7],
		[18, 'vopl', -1, 8],
		[19, 'isp0', 22, 9],
		[20, 'isp1', 23, 10],
		[21, 'hdcp', 24, 11],
		[22, 'gmac', 25, 23],
		[23, 'emmc', 26, 24],
		[24, 'usb3', 27, 12],
		[25, 'edp', 28, 22],
		[26, 'gic', 29, 27],
		[27, 'sd', 30, 28],
		[28, 'sdioaudio', 31, 29],
		[30, 'center', 13, 14],
		[31, 'vcodec', 16, 3],
		[32, 'vdu', 17, 4],
		[33, 'rga', 18, 5],
		[34, 'iep', 19, 6],
		[35, 'gpu', 15, 0],
	],
};

export const PMU_RK3568: PmuTable = {
	power: 0xa0,
	status: 0x98,
	request: 0x50,
	idle: 0x68,
	ack: 0x60,
	hiword: true,
	domains: [
		[6, 'npu', 1, 2],
		[7, 'gpu', 0, 1],
		[8, 'vi', 6, 3],
		[9, 'vo', 7, 4],
		[10, 'rga', 5, 5],
		[11, 'vpu', 2, 6],
		[13, 'vdec', 4, 8],
		[14, 'venc', 3, 7],
		[15, 'pipe', 8, 11],
	],
};

const POWER = 'PWRDN_CON';
const REQUEST = 'BUS_IDLE_REQ';

function bitOf(word: number, bit: number): boolean {
	return bit >= 0 && ((word >>> bit) & 1) !== 0;
}

export class RockchipPmu implements DeviceModel, PowerDomainProvider {
	readonly registers: RegisterFile;
	readonly #domains = new Map<number, PmuDomain>();
	/** By number, the domain around it. */
	readonly #around = new Map<number, number>();
	readonly #held = new Map<number, number>();
	readonly #listeners: { id: number; fn: () => void }[] = [];

	constructor(
		readonly name: string,
		readonly table: PmuTable,
		node: FdtNode,
		/** Called when a domain may have gone, or come. */
		readonly changed: () => void,
	) {
		for (const domain of table.domains) this.#domains.set(domain[0], domain);
		for (const at of node.walk()) {
			const outer = at.parent;
			if (at !== node && outer?.name.startsWith('power-domain@') === true)
				this.#around.set(at.u32s('reg')[0], outer.u32s('reg')[0]);
		}
		this.registers = new RegisterFile([
			{ name: POWER, offset: table.power, access: 'RW', doc: 'a set bit takes power from a domain' },
			{ name: 'PWRDN_ST', offset: table.status, access: 'RO', doc: 'a set bit: that domain has none' },
			{ name: REQUEST, offset: table.request, access: 'RW', doc: 'a set bit asks a bus to be idle' },
			{ name: 'BUS_IDLE_ST', offset: table.idle, access: 'RO', doc: 'a set bit: that bus is' },
			{ name: 'BUS_IDLE_ACK', offset: table.ack, access: 'RO', doc: 'a set bit: it was told, and will be' },
		]);
		this.registers.onRead = (register) => {
			if (register === 'PWRDN_ST') return this.registers.get(POWER);
			if (register.startsWith('BUS_IDLE_')) return this.registers.get(REQUEST);
			return undefined;
		};
	}

	read(offset: number, width: number): number {
		if (this.registers.has(offset)) return this.registers.read(offset, width);
		return this.#held.get(offset & ~3) ?? 0;
	}

	write(offset: number, width: number, value: number): void {
		if (!this.registers.has(offset)) {
			this.#held.set(offset & ~3, value >>> 0);
			return;
		}
		const had = this.#listeners.map(({ id }) => this.#hasPower(id));
		const word = this.table.hiword ? hiwordMerge(this.registers.read(offset & ~3), value) : value;
		this.registers.write(offset, word, this.table.hiword ? 4 : width);
		this.changed();
		this.#listeners.forEach(({ id, fn }, i) => {
			if (had[i] && !this.#hasPower(id)) fn();
		});
	}

	reset(): void {
		this.registers.reset();
		this.#held.clear();
		this.changed();
	}

	powerState(cells: readonly number[]): { on: boolean; name: string } {
		for (let id: number | undefined = cells[0]; id !== undefined; id = this.#around.get(id)) {
			const domain = this.#domains.get(id);
			if (domain === undefined) continue;
			const [, name, power, idle] = domain;
			if (bitOf(this.registers.get(POWER), power)) return { on: false, name: `power domain ${name}` };
			if (bitOf(this.registers.get(REQUEST), idle)) return { on: false, name: `bus of power domain ${name}` };
		}
		return { on: true, name: `power domain ${this.#domains.get(cells[0])?.[1] ?? cells[0]}` };
	}

	onPowerLost(cells: readonly number[], fn: () => void): void {
		this.#listeners.push({ id: cells[0], fn });
	}

	/** An idle bus loses nothing; a switch that is off does, also one further out. */
	#hasPower(domain: number): boolean {
		for (let id: number | undefined = domain; id !== undefined; id = this.#around.get(id))
			if (bitOf(this.registers.get(POWER), this.#domains.get(id)?.[2] ?? -1)) return false;
		return true;
	}
}

function pmuFactory(table: PmuTable): ModelFactory {
	return (ctx) => new RockchipPmu(ctx.name, table, ctx.node, () => ctx.machine.powerChanged());
}

export const rockchipPmuModels: Models = {
	'rockchip,rk3399-pmu': pmuFactory(PMU_RK3399),
	'rockchip,rk3568-pmu': pmuFactory(PMU_RK3568),
};
