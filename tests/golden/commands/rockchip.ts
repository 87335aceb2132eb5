// SPDX-License-Identifier: GPL-2.0-only
// What the vectors of Rockchip boards ask otherwise, or alone.
import { phys_to_virt_words } from '#asm/memory.js';
import {
	rk_dte_is_pt_valid,
	rk_iova_dte_index,
	rk_iova_pte_index,
	rk_pt_address,
	rk_pte_is_page_valid,
	to_rk_domain,
} from '#drivers/iommu/rockchip-iommu.js';
import { REGISTERS } from '#hw/iommu/rockchip-iommu-regs.js';
import type { device } from '#linux/device.js';
import type { iommu_domain } from '#linux/iommu.js';
import { use_dma_iommu } from '#linux/iommu-dma.js';
import { rpm_status } from '#linux/pm.js';
import { pm_runtime_get_sync, pm_runtime_put_sync, pm_runtime_set_suspended } from '#linux/pm_runtime.js';
import type { RockchipBoard } from '../rockchip.js';
import type { Session } from '../session.js';
import { shell } from '../shell.js';
import { Fnv, hex, num, ret, word } from '../values.js';
import type { Json } from '../vectors.js';
import { dmaCommands } from './dma.js';
import { domainOf } from './domains.js';
import type { Command } from './index.js';

const TABLE_WORDS = 1024;

/** The page table that directory word @dte of @d points to; null without one. */
function tableOf(dte: number): Uint32Array | null {
	return rk_dte_is_pt_valid(dte) ? phys_to_virt_words(rk_pt_address(dte), TABLE_WORDS) : null;
}

/** Every page word of @d that is not 0, with its IOVA, ascending. */
function* pageWords(d: iommu_domain): Generator<[iova: number, pte: number]> {
	for (const [i, dte] of to_rk_domain(d).dt.entries())
		for (const [j, pte] of (tableOf(dte) ?? []).entries())
			if (pte !== 0) yield [i * 0x40_0000 + j * 0x1000, pte];
}

function state(dev: device): Json {
	const { power } = dev;
	return {
		usage: power.usage_count.counter,
		status: rpm_status[power.runtime_status]!.slice('RPM_'.length).toLowerCase(),
		error: power.runtime_error,
		disable_depth: power.disable_depth,
	};
}

/** Runtime PM of the devices that @pick has by number. */
export function power(
	pick: (s: Session, n: number) => device,
): Record<'get' | 'put' | 'state' | 'clear', Command> {
	return {
		get: (s, [n]) => ret(pm_runtime_get_sync(pick(s, num(n)))),
		put: (s, [n]) => ret(pm_runtime_put_sync(pick(s, num(n)))),
		state: (s, [n]) => state(pick(s, num(n))),
		clear: (s, [n]) => ret(pm_runtime_set_suspended(pick(s, num(n)))),
	};
}

const masters = power((s, n) => s.device(n));
/** The vectors' bits for what never ends, by the model's names. */
const QUIRKS = ['reset', 'directory', 'stall', 'unstall', 'enable', 'disable'];

function quirks(board: RockchipBoard, m: number, bits: number): void {
	const { mmu } = board.mmu(m);
	for (const [bit, name] of QUIRKS.entries())
		if ((bits >>> bit) & 1) mmu.unit.stuck.add(`${name}${mmu.which}`);
		else mmu.unit.stuck.delete(`${name}${mmu.which}`);
}

export function rockchipCommands(board: RockchipBoard): Record<string, Command> {
	const iommus = power((_s, n) => board.iommuDevice(n));
	return {
		nop: () => 0,
		sh: (s, [line]) => ({ ...shell(s, String(line)) }),
		pmget: masters.get,
		pmput: masters.put,
		pmst: masters.state,
		pmclear: masters.clear,
		iget: iommus.get,
		iput: iommus.put,
		ist: iommus.state,
		iclear: iommus.clear,
		ac: (s, args, extra) => {
			const answer = dmaCommands['ac']!(s, args, extra);
			const direct = !use_dma_iommu(s.device(num(args[0])));
			// The pages of the buffer are cleaned too, by another function than those that the capture heard.
			s.forget(/^C:[0-9a-f]+:/);
			if (direct && answer !== null) return { page_offset: 0, below: '0x80000000' };
			return answer;
		},
		an: (s, args, extra) => {
			const answer = dmaCommands['an']!(s, args, extra);
			s.forget(/^C:[0-9a-f]+:/);
			return answer;
		},
		rset: (s, [m, off, val]) => {
			const { name } = REGISTERS.find(({ offset }) => offset === num(off))!;
			board.mmu(num(m)).mmu.registers.set(name, num(val));
			return 0;
		},
		rget: (s, [m, off]) => word(board.mmu(num(m)).mmu.read(num(off), 4)),
		regs: (s, [m]) => {
			const { mmu, name } = board.mmu(num(m));
			const get = (register: string): number => mmu.registers.get(register);
			const dte = get('DTE_ADDR');
			return {
				name,
				dte: board.word(dte, word(dte)),
				status: word(get('STATUS')),
				fault: word(get('PAGE_FAULT_ADDR')),
				raw: hex(get('INT_RAWSTAT')),
				mask: hex(get('INT_MASK')),
				gate: word(get('AUTO_GATING')),
			};
		},
		hwreset: (s, [m]) => {
			quirks(board, num(m), 0);
			board.mmu(num(m)).mmu.reset();
			return 0;
		},
		quirk: (s, [m, bits]) => {
			quirks(board, num(m), num(bits));
			return 0;
		},
		irq: (s, [i, k]) => {
			s.raise(board.units[num(i)]!.intids[num(k)]!);
			s.sleep(20);
			return 0;
		},
		poke: (_s, [phys, value]) => {
			phys_to_virt_words(num(phys), 1)[0] = num(value);
			return 0;
		},
		walk: (s, [m, iova]) => {
			const { mmu } = board.mmu(num(m));
			if (!mmu.paging) return 'off';
			const { translation, root } = mmu;
			const [dte, pte] = translation.explain(0, 0, root, num(iova)).map(({ memory }) => Number(memory));
			const { phys } = translation.leaf(root, num(iova), (_word, rights) => rights);
			return {
				dte: board.word(dte!, word(dte!)),
				pte: word(pte ?? 0),
				phys: phys < 0 ? null : hex(phys),
			};
		},
		pte: (s, [x, iova]) => {
			const dte = to_rk_domain(domainOf(s, x)).dt[rk_iova_dte_index(num(iova))]!;
			return {
				dte: board.word(dte, word(dte)),
				pte: word(tableOf(dte)?.[rk_iova_pte_index(num(iova))] ?? 0),
			};
		},
		ptes: (s, [x]) => {
			const words = [...pageWords(domainOf(s, x))];
			const valid = words.filter(([, pte]) => rk_pte_is_page_valid(pte)).length;
			return {
				dtes: to_rk_domain(domainOf(s, x)).dt.filter((dte) => rk_dte_is_pt_valid(dte)).length,
				ptes: valid,
				stale: words.length - valid,
			};
		},
		tsum: (s, [x]) => {
			const [valid, nonzero] = [new Fnv(), new Fnv()];
			for (const pair of pageWords(domainOf(s, x))) {
				const bytes = new Uint8Array(Uint32Array.from(pair).buffer);
				nonzero.add(bytes);
				if (rk_pte_is_page_valid(pair[1])) valid.add(bytes);
			}
			return { valid: valid.toString(), nonzero: nonzero.toString() };
		},
	};
}
