// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { againText, knownDrivers, moduleOf, parseCheck } from '#tools/check/options.js';
import { UsageError, UserError } from '#tools/run/user-error.js';

const KNOWN = 'edu-iommu, rockchip-iommu, sun50i-iommu';

describe('tools_check_options', () => {
	let dir: string;
	beforeEach(() => {
		dir = mkdtempSync(join(tmpdir(), 'check-'));
	});
	afterEach(() => {
		rmSync(dir, { recursive: true });
	});

	it('takes a driver, a part of the cases’ names, a seed, and KTAP', () => {
		expect(parseCheck(['edu-iommu'])).to.deep.equal({ driver: 'edu-iommu', only: '', seed: 1, ktap: false });
		expect(parseCheck(['--only=tables', '--seed=7', '--ktap', '--', 'x'])).to.deep.equal({
			driver: 'x',
			only: 'tables',
			seed: 7,
			ktap: true,
		});
		expect(parseCheck(['--help'])).to.equal(null);
	});

	for (const [what, args, sentence] of [
		['no driver', [], `DRIVER: expected ${KNOWN}, or a folder that linux-iommu new has made`],
		['two', ['edu-iommu', 'sun50i-iommu'], 'expected one driver, got "edu-iommu" and "sun50i-iommu"'],
		['two in one', ['edu-iommu sun50i-iommu'], 'expected one driver, got "edu-iommu" and "sun50i-iommu"'],
		[
			'a seed that is none',
			['--seed=-1', 'edu-iommu'],
			'SEED: expected a whole number of up to nine digits, got "-1"',
		],
		['an option that is none', ['--fast', 'edu-iommu'], "Unknown option '--fast'"],
	] as const)
		it(`refuses ${what}`, () => {
			expect(() => parseCheck(args)).to.throw(UsageError, sentence);
		});

	it('knows the drivers that are described', () => {
		expect(knownDrivers().join(', ')).to.equal(KNOWN);
		expect(moduleOf('edu-iommu')).to.match(/^file:.*\/tools\/check\/drivers\/edu-iommu\.js$/);
	});

	it('repeats a case as it was asked for: by make for a driver that is known, by the program for a folder', () => {
		const again = (driver: string): string =>
			againText({ driver, only: '', seed: 7, ktap: false }, "a: it's");
		expect(again('edu-iommu')).to.equal("make check DRIVER=edu-iommu SEED=7 ONLY='a: it'\\''s'");
		expect(again('.')).to.equal("npx linux-iommu check . --seed 7 --only 'a: it'\\''s'");
		expect(again('../my iommu')).to.match(/^npx linux-iommu check '\.\.\/my iommu' --seed 7 /);
	});

	it('refuses what is neither driver nor folder', () => {
		expect(() => moduleOf('my-iommu')).to.throw(
			UsageError,
			`"my-iommu": no driver and no folder; expected ${KNOWN}`,
		);
	});

	it('takes a folder by what is built of its description, if that is there and the newest', () => {
		expect(() => moduleOf(dir)).to.throw(UsageError, 'no check.ts in it, which says what the driver can do');
		writeFileSync(join(dir, 'check.ts'), '');
		expect(() => moduleOf(dir)).to.throw(
			UserError,
			'build/check.js is not there; expected npm run build first',
		);
		mkdirSync(join(dir, 'build'));
		writeFileSync(join(dir, 'build/check.js'), '');
		utimesSync(join(dir, 'check.ts'), 1, 1);
		expect(moduleOf(dir)).to.equal(pathToFileURL(join(dir, 'build/check.js')).href);
		writeFileSync(join(dir, 'driver.ts'), '');
		utimesSync(join(dir, 'build/check.js'), 2, 2);
		expect(() => moduleOf(dir)).to.throw(
			UserError,
			'driver.ts changed after the build; expected npm run build first',
		);
	});
});
