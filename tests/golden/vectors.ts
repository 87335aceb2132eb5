// SPDX-License-Identifier: GPL-2.0-only
// The golden vectors as data: files, boots, cases, steps (see README.md here).
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What the kernel did besides answering: register traffic, messages, where a mapping went. */
export interface Extra {
	mmio?: string;
	dmesg?: string[];
	rel?: [string, Json, ...Json[]];
}

export type Step = [command: string, args: (number | string)[], result: Json, extra?: Extra];

export interface Case {
	case: string;
	boot: string;
	fresh?: boolean;
	note?: string;
	before?: string;
	after?: string;
	mmio?: Record<string, string>;
	text?: string[];
	steps?: Step[];
}

export interface Boot {
	what: string;
	/** Which tree, where the name does not say. */
	board?: string;
	swiotlb: [string, string];
	zones: string[];
	/** Of the boot's messages those about IOMMUs, and the traffic of powering off with masters in use. */
	messages?: string[];
	shutdown?: string;
}

export interface VectorFile {
	name: string;
	commands: Record<string, string>;
	boots: Record<string, Boot>;
	cases: Case[];
}

/** A vector file that cannot be used; the sentence names the file, the place and what was expected. */
export class VectorError extends Error {}

function expectShape(ok: boolean, file: string, place: string, expected: string): void {
	if (!ok) throw new VectorError(`${file}: ${place}: expected ${expected}`);
}

/** Read one vector file. */
export function readVectorFile(path: string): VectorFile {
	const name = basename(path);
	let data: Partial<VectorFile>;
	try {
		data = JSON.parse(readFileSync(path, 'utf8')) as Partial<VectorFile>;
	} catch (e) {
		throw new VectorError(`${name}: ${(e as Error).message}`);
	}
	expectShape(typeof data.boots === 'object', name, 'boots', 'an object');
	expectShape(Array.isArray(data.cases), name, 'cases', 'a list');
	for (const c of data.cases as Case[]) {
		expectShape(
			typeof c.case === 'string' && typeof c.boot === 'string',
			name,
			'a case',
			'its name and boot',
		);
		for (const [i, s] of (c.steps ?? []).entries())
			expectShape(
				Array.isArray(s) && s.length >= 3,
				name,
				`${c.case}, step ${i}`,
				'[command, arguments, result]',
			);
	}
	const boots = Object.fromEntries(
		Object.entries(data.boots!).map(([boot, facts]) => [
			boot,
			{ ...facts, swiotlb: facts.swiotlb ?? ['0', '0'], zones: facts.zones ?? [] },
		]),
	);
	return { name, commands: data.commands ?? {}, boots, cases: data.cases! };
}

/** The vector files (*.json) of a folder, by name. */
export function readVectorFolder(folder: string): VectorFile[] {
	let names: string[];
	try {
		names = readdirSync(folder);
	} catch {
		throw new VectorError(`${folder}: expected a folder of vector files`);
	}
	names = names.filter((n) => n.endsWith('.json')).sort();
	if (names.length === 0) throw new VectorError(`${folder}: expected at least one *.json`);
	return names.map((n) => readVectorFile(join(folder, n)));
}
