// SPDX-License-Identifier: GPL-2.0-only
// make pack-test: what others have of the project when they have installed what npm pack makes, far from its sources.
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { PROJECT } from '#tools/project.js';

const NAME = 'linux-iommu-ts';
const VERB = /^ {2}([a-z-]+) +\S/gm;

/** Another's program: the kernel, the machine, a device's view of memory, and the tests' helpers. */
const PROGRAM = `
import 'linux-iommu-ts/init/vmlinux.js';
import { readFileSync } from 'node:fs';
import { Machine } from 'linux-iommu-ts/hw/core/machine.js';
import { start_kernel } from 'linux-iommu-ts/init/main.js';
import { iommu_get_domain_for_dev } from 'linux-iommu-ts/drivers/iommu/iommu.js';
import { dma_map_single, dma_unmap_single } from 'linux-iommu-ts/kernel/dma/mapping.js';
import { DMA_TO_DEVICE } from 'linux-iommu-ts/linux/dma-direction.js';
import { GFP_KERNEL } from 'linux-iommu-ts/linux/gfp.js';
import { kmalloc } from 'linux-iommu-ts/linux/slab.js';
import { boardBlob } from 'linux-iommu-ts/tests/boot.js';
import { videoEngine } from 'linux-iommu-ts/tools/clients.js';

start_kernel(new Machine(boardBlob('sun50i-h6-orangepi-3')));
const dev = videoEngine()!;
const dma = dma_map_single(dev, kmalloc(64, GFP_KERNEL)!, 64, DMA_TO_DEVICE);
dma_unmap_single(dev, dma, 64, DMA_TO_DEVICE);
console.log(iommu_get_domain_for_dev(dev) !== null, dma.toString(16), typeof readFileSync);
`;

const TSCONFIG = {
	compilerOptions: {
		target: 'ES2022',
		module: 'NodeNext',
		strict: true,
		skipLibCheck: true,
		types: ['node'],
		typeRoots: [join(PROJECT, 'node_modules/@types')],
	},
	include: ['program.ts'],
};

describe('installed', () => {
	let base: string;
	let dir: string;

	const start = (program: string, args: readonly string[], cwd = dir): SpawnSyncReturns<string> => {
		const { PATH, HOME } = process.env;
		return spawnSync(program, args, { cwd, env: { PATH, HOME }, encoding: 'utf8' });
	};
	/** A verb's output, which has to go well. */
	const verb = (...argv: string[]): string => {
		const { status, stdout, stderr } = start('npx', ['--no-install', 'linux-iommu', ...argv]);
		expect({ status, stderr }, argv.join(' ')).to.deep.equal({ status: 0, stderr: '' });
		return stdout;
	};

	before(() => {
		base = mkdtempSync(join(tmpdir(), 'pack-'));
		dir = join(base, 'other');
		mkdirSync(dir);
		const packed = start('npm', ['pack', '--silent', '--pack-destination', base], PROJECT);
		expect(packed.status, packed.stderr).to.equal(0);
		const tarball = readdirSync(base).find((name) => name.endsWith('.tgz'))!;
		writeFileSync(join(dir, 'package.json'), '{ "name": "other", "private": true, "type": "module" }');
		const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', join(base, tarball)];
		const installed = start('npm', args);
		expect(installed.status, installed.stderr).to.equal(0);
	});
	after(() => {
		rmSync(base, { recursive: true });
	});

	it('has all of its files in the folder of the other, and tests that nobody else can run in none', () => {
		const at = join(dir, 'node_modules', NAME);
		expect(lstatSync(at).isSymbolicLink()).to.equal(false);
		expect(existsSync(join(at, 'COPYING'))).to.equal(true);
		expect(existsSync(join(at, 'build/tests/makefile.test.js'))).to.equal(false);
	});

	it('has a program with help, of its own and for each verb', () => {
		const help = verb('--help');
		const verbs = [...help.matchAll(VERB)].map((m) => m[1]!);
		expect(verbs).to.include.members(['c', 'chaos', 'check', 'fail-nth', 'new']);
		for (const name of verbs) expect(verb(name, '--help'), name).to.match(/^usage: /);
	});

	it('runs what it says: cases of a driver, seeds, C of a driver', () => {
		expect(verb('check', '--only=map', 'sun50i-iommu')).to.match(/\b[1-9]\d* passed/);
		verb('chaos', '--seeds=2', 'edu-iommu');
		verb('c', '--out=c', 'sun50i-iommu');
		expect(existsSync(join(dir, 'c/drivers/iommu/sun50i-iommu.c'))).to.equal(true);
	});

	it('makes the folder of a new IOMMU, which says that it has to be installed first', () => {
		expect(verb('new', 'my-iommu')).to.match(/^my-iommu: [\s\S]*npm install && npm test/);
		expect(existsSync(join(dir, 'my-iommu/my-iommu.test.ts'))).to.equal(true);
	});

	it('lets a program of the other import the kernel, the machine and the helpers, with their types', () => {
		writeFileSync(join(dir, 'program.ts'), PROGRAM);
		writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(TSCONFIG));
		const tsc = start(join(PROJECT, 'node_modules/.bin/tsc'), []);
		expect({ status: tsc.status, stdout: tsc.stdout }).to.deep.equal({ status: 0, stdout: '' });
		const { status, stdout, stderr } = start(process.execPath, ['program.js']);
		expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
		expect(stdout.split('\n').at(-2)).to.match(/^true f[0-9a-f]{7} function$/);
	});
});
