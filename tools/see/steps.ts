// SPDX-License-Identifier: GPL-2.0-only
// What a step of a run is about.

import type { Step } from '#watch/recorder.js';
import { seconds } from '#watch/report.js';

/** A line for @step. */
export function stepLine({ number, time, kind, who, text }: Step): string {
	return `${String(number).padStart(6)}  ${seconds(time)}  [${kind}] ${who}: ${text}`;
}

/** Whether @step is about a part of [@addr, @addr + @size). */
export function touches(step: Step, addr: number, size: number): boolean {
	return step.addr >= 0 && step.addr < addr + size && addr < step.addr + Math.max(1, step.size);
}

/** Where a master's write went. */
const WRITTEN = /^write .* at (0x[\da-f]+)/;

/** Whether bytes of [@addr, @addr + @size), an IOVA or in memory, become others by @step. */
export function writes(step: Step, addr: number, size: number): boolean {
	if (step.kind === 'mmio') return step.text.startsWith('W') && touches(step, addr, size);
	if (step.kind === 'table' || step.kind === 'clean') return touches(step, addr, size);
	const phys = step.kind === 'dma' ? WRITTEN.exec(step.text) : null;
	return (
		phys !== null && (touches(step, addr, size) || touches({ ...step, addr: Number(phys[1]) }, addr, size))
	);
}
