// SPDX-License-Identifier: GPL-2.0-only
// Every kind of golden boards; the first that knows a boot has it.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BootPlan, HardwareKind } from './hardware.js';
import { rockchip } from './rockchip.js';
import { sun50i } from './sun50i.js';
import type { Boot } from './vectors.js';

const KINDS: readonly HardwareKind[] = [rockchip, sun50i];

export interface BoardPlan {
	readonly kind: HardwareKind;
	readonly plan: BootPlan;
	/** The board's tree. */
	readonly dtb: string;
}

/** How to make @boot with the trees of the folder @boards; undefined: it is of a kind, or a board, that is not here. */
export function boardOf(boot: string, facts: Boot, boards: string): BoardPlan | undefined {
	for (const kind of KINDS) {
		const plan = kind.plan(boot, facts);
		if (plan === undefined) continue;
		const dtb = join(boards, `${plan.board}.dtb`);
		return existsSync(dtb) ? { kind, plan, dtb } : undefined;
	}
	return undefined;
}
