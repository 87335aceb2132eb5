// SPDX-License-Identifier: GPL-2.0-only
// What a rule says when it is broken.

import { hex } from '#hw/core/register-file.js';

/** The names of Documentation/INVARIANTS.md. */
export type Invariant =
	| 'INV-TLB-UNMAP'
	| 'INV-TLB-MAP'
	| 'INV-PTW'
	| 'INV-CLEAN'
	| 'INV-TABLE-LIVE'
	| 'INV-OWN'
	| 'INV-LIVE-MAP'
	| 'INV-PERM'
	| 'INV-FAULT'
	| 'INV-PWR'
	| 'INV-REFS'
	| 'INV-LEAK'
	| 'INV-RANGE'
	| 'INV-PAIR'
	| 'INV-SLEEP'
	| 'INV-IOVA'
	| 'INV-BOUNCE'
	| 'INV-ERR'
	| 'INV-RACE';

/** What Linux allows, and a person wants to know: counted always, a finding when it is asked for. */
export type Exposure =
	| 'EXP-NEIGHBOUR'
	| 'EXP-OWN'
	| 'EXP-ELSEWHERE'
	| 'EXP-WINDOW'
	| 'EXP-FETCH'
	| 'EXP-ID'
	| 'EXP-BYPASS';

/** When it is seen: before any damage, as the wrong operation returns; as the damage is done; when nothing goes on. */
export type Moment = 'return' | 'access' | 'quiet';

const MOMENTS: Readonly<Record<Moment, string>> = {
	return: 'as the operation returns',
	access: 'at the access',
	quiet: 'at a quiet point',
};

/** A device's access that a finding is about. */
export interface Access {
	/** The address that the device used: an IOVA behind an IOMMU. */
	readonly addr: number;
	/** Where that led; -1: nowhere. */
	readonly phys: number;
	readonly size: number;
	readonly write: boolean;
}

export interface Finding {
	readonly invariant: Invariant | Exposure;
	/** A word for what happened: `stale-tlb`. */
	readonly kind: string;
	/** The device, or the IOMMU when nobody else is to be named. */
	readonly device: string;
	readonly moment: Moment;
	/** Where it happened, for the headline: `edu_iommu_map_pages()`; by default the access, or the device. */
	readonly what?: string;
	/** Of two findings of a kind and device with the same place the second is counted, not shown. */
	readonly place: string;
	readonly access?: Access;
	/** Lines: the access, the mapping and its history, the walk, the neighbourhood. */
	readonly details: readonly string[];
	/** One sentence: what is probably wrong, and where. */
	readonly advice: string;
}

/** @fn as it is called, which a handler's name is already: `edu_iommu_map_pages()`. */
export function called(fn: string): string {
	return fn.endsWith('()') ? fn : `${fn}()`;
}

/** When and where, of a finding about the function @fn as it returns. */
export function asReturns(fn: string, place = fn): Pick<Finding, 'moment' | 'what' | 'place'> {
	return { moment: 'return', what: called(fn), place };
}

/** Where rules put what they find. */
export interface Report {
	find(finding: Finding): void;
}

const RULE = '='.repeat(66);

/** @ns as the kernel log has it. */
export function seconds(ns: number): string {
	return (ns / 1e9).toFixed(6);
}

/** `write by m1 at 0x00400000`. */
function accessBy(device: string, { addr, write }: Access): string {
	return `${write ? 'write' : 'read'} by ${device} at ${hex(addr, 8)}`;
}

/** A function of the DMA API, and files that it is made of: whose call it was is what one wants to know. */
const DMA_API = /^dma_\w+\(\)$/;
const BELOW =
	/\((?:build\/)?(?:kernel\/(?:dma|trace|tracepoint)|drivers\/iommu\/(?:iommu|dma-iommu)\.|include|lib|mm)\b/;

/** `dma_unmap_page()`, and who called it, if @trace shows that. */
function withCaller(where: string, trace: readonly string[]): string {
	if (!DMA_API.test(where)) return where;
	const caller = trace.find((frame) => !BELOW.test(frame));
	return caller === undefined ? where : `${where}, called by ${caller.split(' ')[0]}()`;
}

/** @finding as the kernel log would show it. @trace: the kernel's functions at that moment. */
export function findingText(finding: Finding, time: number, trace: readonly string[]): string {
	const { invariant, kind, device, moment, what, access, details, advice } = finding;
	const where = what ?? (access === undefined ? device : accessBy(device, access));
	const lines = [
		RULE,
		`BUG: DMASAN: ${kind} in ${withCaller(where, trace)}`,
		`${invariant}, found ${MOMENTS[moment]}, in ${device} at ${seconds(time)}`,
	];
	if (access !== undefined) {
		const { addr, phys, size, write } = access;
		const to = phys < 0 ? '' : ` (physical ${hex(phys, 8)})`;
		lines.push(`${write ? 'Write' : 'Read'} of size ${size} at address ${hex(addr, 8)}${to}`);
	}
	lines.push(...details);
	if (trace.length > 0) lines.push('Call trace:', ...trace.map((frame) => ` ${frame}`));
	lines.push(`Probably: ${advice}`, RULE);
	return lines.join('\n');
}
