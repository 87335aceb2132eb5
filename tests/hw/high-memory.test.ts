// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { Machine } from '#hw/core/machine.js';
import { boardBlob } from '#tests/boot.js';
import { withHighMemory } from './high-memory.js';

const models = (machine: Machine): string[] => [...machine.models.keys()];

describe('high-memory', () => {
	for (const name of ['main', 'edu-board', 'rk-v2', 'sun50i-h6-orangepi-3'])
		it(`gives the board ${name} memory above 4 GiB, and leaves what else there is where it was`, () => {
			const [before, after] = [boardBlob(name), withHighMemory(boardBlob(name), 2 ** 30)].map(
				(blob) => new Machine(blob),
			);
			expect(after.memory.regions).to.deep.include({ base: 2 ** 32, size: 2 ** 30 });
			expect(models(after)).to.deep.equal(models(before));
			expect(after.bus.windows.map(({ base, size }) => [base, size])).to.deep.equal(
				before.bus.windows.map(({ base, size }) => [base, size]),
			);
		});
});
