// SPDX-License-Identifier: GPL-2.0-only
// What an IOMMU does with an address, and what a device has mapped.

import type { Command } from '../command.js';
import type { Session } from '../session.js';
import { type Maps, mapsLines, mapsOf, type Walk, walkLines, walkOf } from '../walk.js';
import { expected, type Word } from '../words.js';
import { streams } from './dma.js';

function walkHere(session: Session, args: readonly Word[]): Walk {
	const [master] = session.mastersOf(args[0]?.word);
	return walkOf(session, master, session.addressOf(args[1]?.word));
}

const walk: Command = {
	name: 'walk',
	args: 'DEVICE|STREAM IOVA',
	does: 'the translation level by level, as memory, CPU and caches have it, and who mapped it',
	effect: 'look',
	run: (session, args) => walkLines(walkHere(session, args)),
	json: walkHere,
	complete: (session, at) =>
		at === 0 ? streams(session) : at === 1 ? session.buffers.map(({ name }) => name) : [],
};

function mapsHere(session: Session, args: readonly Word[]): Maps {
	const word = args[0]?.word;
	if (word === undefined || !session.clients.includes(word))
		return expected(`a device, ${session.clients.join(' or ')}`, word);
	return mapsOf(session, word);
}

const maps: Command = {
	name: 'maps',
	args: 'DEVICE',
	does: 'what is mapped in its address space: pages, direction, by whom and when',
	effect: 'look',
	run: (session, args) => mapsLines(mapsHere(session, args)),
	json: mapsHere,
	complete: (session, at) => (at === 0 ? session.clients : []),
};

export const IOMMU: readonly Command[] = [walk, maps];
