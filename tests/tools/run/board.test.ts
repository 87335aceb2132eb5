// SPDX-License-Identifier: GPL-2.0-only
// Trees that are none, or broken: one clear line each.
import { expect } from 'chai';
import { boardBlob } from '#tests/boot.js';
import { watched } from '#tests/machine.js';
import { Board } from '#tools/run/board.js';
import { UserError } from '#tools/run/user-error.js';

const BOARD = 'sun50i-h6-orangepi-3';

function refusal(blob: Uint8Array): string {
	try {
		new Board('board.dtb', blob, {});
	} catch (e) {
		expect(e, String(e)).to.be.instanceOf(UserError);
		return (e as UserError).message;
	}
	return '';
}

describe('tools_run_board', () => {
	it('refuses a file that is no device tree', () => {
		expect(refusal(new TextEncoder().encode('a text, and not a tree, of more than forty bytes'))).to.match(
			/^board\.dtb: [^\n]*0xd00dfeed[^\n]*$/,
		);
		expect(refusal(new Uint8Array(0))).to.match(/^board\.dtb: [^\n]+$/);
	});

	it('refuses the tree cut at every 64th byte, in one line that names the file', () => {
		const whole = boardBlob(BOARD);
		for (let end = 0; end < whole.length; end += 64)
			expect(refusal(whole.subarray(0, end)), `cut at ${end}`).to.match(/^board\.dtb: [^\n]+$/);
	});

	it('refuses more memory than the board has address space for', () => {
		expect(() => new Board('board.dtb', boardBlob(BOARD), { memSize: 1234 })).to.throw(
			UserError,
			/multiple of 4 KiB/,
		);
	});

	it('boots a tree without display, engine or IOMMU and finds no groups', () => {
		const board = new Board('direct.dtb', boardBlob('direct'), watched());
		expect(board.machine.stats().iommu).to.deep.equal([]);
		expect(Board.log().some((l) => l.includes('Machine model: IOMMU oracle board'))).to.equal(true);
	});
});
