// SPDX-License-Identifier: GPL-2.0-only
import { expect } from 'chai';
import { WatchedBoard } from './buffer-rig.js';

describe('watch/masks', () => {
	/** What is said as a driver whose device has @lines address lines is bound, and its mask has 32 bits. */
	function binds(lines: number): string[] {
		const board = new WatchedBoard('main');
		board.device('m3');
		board.masters.unbind();
		Object.assign(board.model('m3'), { addressLines: lines });
		return board.kinds(() => board.masters.bind());
	}

	it('say nothing of a mask with as many bits as the device has lines, or fewer', () => {
		expect(binds(32)).to.deep.equal([]);
		expect(binds(33)).to.deep.equal([]);
	});

	it('report a mask with more, as the driver is bound', () => {
		expect(binds(31)).to.deep.equal(['INV-RANGE mask-too-wide return']);
	});
});
