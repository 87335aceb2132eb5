// SPDX-License-Identifier: GPL-2.0-only
// Expected numbers: by hand, from the comments of Linux 6.12's drivers/gpu/drm/drm_rect.c.
import { expect } from 'chai';
import {
	drm_rect_calc_hscale,
	drm_rect_calc_vscale,
	drm_rect_clip_scaled,
} from '#drivers/gpu/drm/drm_rect.js';
import { drm_rect, drm_rect_init } from '#include/drm/drm_rect.js';
import { EINVAL, ERANGE } from '#linux/errno.js';

const ONE = 65536;

function rect(x: number, y: number, width: number, height: number): drm_rect {
	const r = new drm_rect();
	drm_rect_init(r, x, y, width, height);
	return r;
}

const edges = (r: drm_rect): number[] => [r.x1, r.y1, r.x2, r.y2];

describe('drm_rect', () => {
	const clip = rect(0, 0, 100, 50);
	// A source of 20 x 10 pixels at (4, 6): what is left of it, in pixels, and of its place on screen.
	const cases: [what: string, dst: drm_rect, src: number[], left: number[]][] = [
		['nothing of what is inside', rect(10, 10, 20, 10), [4, 6, 24, 16], [10, 10, 30, 20]],
		['the left', rect(-5, 10, 20, 10), [9, 6, 24, 16], [0, 10, 15, 20]],
		['the top', rect(10, -4, 20, 10), [4, 10, 24, 16], [10, 0, 30, 6]],
		['the right', rect(90, 10, 20, 10), [4, 6, 14, 16], [90, 10, 100, 20]],
		['the bottom', rect(10, 45, 20, 10), [4, 6, 24, 11], [10, 45, 30, 50]],
		['half as much of an enlarged source', rect(-10, -4, 40, 20), [9, 8, 24, 16], [0, 0, 30, 16]],
		['twice as much of a reduced source', rect(95, 48, 10, 5), [4, 6, 14, 10], [95, 48, 100, 50]],
	];
	for (const [what, dst, src, left] of cases)
		it(`cuts off ${what}`, () => {
			const from = rect(4 * ONE, 6 * ONE, 20 * ONE, 10 * ONE);
			const on = rect(dst.x1, dst.y1, dst.x2 - dst.x1, dst.y2 - dst.y1);
			expect(drm_rect_clip_scaled(from, on, clip)).to.equal(true);
			expect(edges(from).map((e) => e / ONE)).to.deep.equal(src);
			expect(edges(on)).to.deep.equal(left);
		});

	it('leaves nothing of what is outside, and never turns a source inside out', () => {
		for (const [x, y] of [
			[-30, 0],
			[120, 0],
			[0, -30],
			[0, 70],
		]) {
			const src = rect(0, 0, 20 * ONE, 10 * ONE);
			expect(drm_rect_clip_scaled(src, rect(x, y, 20, 10), clip), `at ${x},${y}`).to.equal(false);
			expect(src.x2 - src.x1).to.be.at.least(0);
			expect(src.y2 - src.y1).to.be.at.least(0);
		}
	});

	it('rounds what is left of a source so that its scale does not cross 1:1', () => {
		// 2 of 3 pixels of a source of 10: 6.67. An enlargement keeps more of it, a reduction less.
		const small = rect(0, 0, 2 * ONE + 1, ONE);
		drm_rect_clip_scaled(small, rect(98, 0, 3, 1), clip);
		expect(small.x2).to.equal(Math.ceil(((2 * ONE + 1) * 2) / 3));
		const large = rect(0, 0, 10 * ONE, ONE);
		drm_rect_clip_scaled(large, rect(98, 0, 3, 1), clip);
		expect(large.x2).to.equal(Math.floor((10 * ONE * 2) / 3));
	});

	it('answers source pixels for one on screen, or why it cannot be', () => {
		const src = rect(0, 0, 20 * ONE, 10 * ONE);
		expect(drm_rect_calc_hscale(src, rect(0, 0, 10, 10), 1, 4 * ONE)).to.equal(2 * ONE);
		expect(drm_rect_calc_vscale(src, rect(0, 0, 10, 20), 1, 4 * ONE)).to.equal(ONE / 2);
		expect(drm_rect_calc_hscale(src, rect(0, 0, 4, 10), 1, 4 * ONE)).to.equal(-ERANGE);
		expect(drm_rect_calc_hscale(src, rect(0, 0, 40, 10), ONE, ONE)).to.equal(-ERANGE);
		expect(drm_rect_calc_hscale(rect(0, 0, -1, 1), rect(0, 0, 1, 1), 1, ONE)).to.equal(-EINVAL);
		expect(drm_rect_calc_hscale(src, rect(0, 0, 0, 10), ONE, ONE)).to.equal(0);
	});
});
