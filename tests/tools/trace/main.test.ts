// SPDX-License-Identifier: GPL-2.0-only
// The verb: what it takes, what it says, what it leaves.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import sinon from 'sinon';
import { ENGINE, Tree } from '#tests/tools/run/trees.js';
import { encodeJpeg } from '#tools/jpeg-encode.js';
import { main } from '#tools/trace/main.js';
import { FORMATS, HELP, parseTrace } from '#tools/trace/options.js';
import { STEP_KINDS } from '#watch/recorder.js';

describe('tools_trace_main', () => {
	const dir = mkdtempSync(join(tmpdir(), 'trace-'));
	const file = (name: string): string => join(dir, name);
	before(() => {
		const data = new Uint8Array(64 * 64 * 3);
		writeFileSync(file('p.jpg'), encodeJpeg({ width: 64, height: 64, data }, { subsampling: '420' }));
		const clocks = new Tree().set(ENGINE, 'clocks', [0x99, 0, 0x99, 0, 0x99, 0]);
		writeFileSync(file('clocks.dtb'), clocks.blob());
		writeFileSync(file('without.dtb'), new Tree().set(ENGINE, 'status', 'disabled').blob());
	});
	after(() => rmSync(dir, { recursive: true }));

	/** The exit status, and what went to standard error. */
	async function run(...args: string[]): Promise<{ status: number; said: string[] }> {
		const error = sinon.stub(console, 'error');
		try {
			const status = await main(args);
			return { status, said: error.args.map(([line]) => String(line)) };
		} finally {
			error.restore();
		}
	}

	it('names its formats and kinds in --help', () => {
		for (const word of [...FORMATS, ...STEP_KINDS]) expect(HELP).to.contain(word);
	});

	it("takes the main job's board and picture, all kinds, ftrace text on standard output, where nothing is said", () => {
		expect(parseTrace([])).to.include({ format: 'ftrace', out: null, append: '', seed: 1 });
		expect([...(parseTrace([])?.kinds ?? [])]).to.deep.equal([...STEP_KINDS]);
		expect(parseTrace(['-h'])).to.equal(null);
	});

	it('says in one line, and by 2, what it expected of a command line', async () => {
		for (const [args, said] of [
			[['--format', 'xml'], '--format: expected one of ftrace, jsonl, perfetto, got "xml"'],
			[['--kinds', 'mmio,x'], `--kinds: expected one of ${STEP_KINDS.join(', ')}, got "x"`],
			[['--seed', '-'], '--seed: expected a whole number of up to nine digits, got "-"'],
			[['--out', ''], '--out: expected the path of a file, got ""'],
			[['a', 'b'], 'expected one picture, got "a b"'],
		] as const) {
			const answer = await run(...args);
			expect(answer.status, args.join(' ')).to.equal(2);
			expect(answer.said[0]).to.equal(said);
		}
	});

	it('says by 1 what it cannot read or write, before it begins, and leaves nothing', async () => {
		const before = readdirSync(dir);
		expect(await run('--out', file('o'), file('none.jpg'))).to.deep.equal({
			status: 1,
			said: [`PICTURE: cannot read ${file('none.jpg')}: no such file`],
		});
		expect((await run('--out', dir, file('p.jpg'))).said).to.deep.equal([
			`--out: cannot write ${dir}: is a folder`,
		]);
		expect((await run('--board', file('p.jpg'), '--out', file('o'), file('p.jpg'))).status).to.equal(1);
		expect(readdirSync(dir)).to.deep.equal(before);
	});

	it('writes the trace of the job, of the kinds that were asked for', async () => {
		const out = file('t.jsonl');
		const args = ['--format', 'jsonl', '--kinds', 'irq,fill', '--seed', '7', '--out', out, file('p.jpg')];
		expect(await run(...args)).to.deep.equal({ status: 0, said: [] });
		const kinds = readFileSync(out, 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => (JSON.parse(line) as { kind: string }).kind);
		expect(new Set(kinds)).to.deep.equal(new Set(['irq', 'fill']));
	});

	it('writes what happened until the job failed, and says why by 1', async () => {
		const out = file('failed');
		const { status, said } = await run('--board', file('clocks.dtb'), '--out', out, file('p.jpg'));
		expect(status).to.equal(1);
		expect(said).to.deep.equal(['opening the video engine: open /dev/video0: -ENXIO']);
		expect(readFileSync(out, 'utf8')).to.match(/log: kernel cedrus .* failed with error -22\n/);
	});

	it('writes the boot of a board that has nothing for the job, and says so by 0', async () => {
		const out = file('boot');
		const { status, said } = await run('--board', file('without.dtb'), '--out', out, file('p.jpg'));
		expect({ status, said }).to.deep.equal({
			status: 0,
			said: ['This board has no /dev/video0: what is traced is its boot.'],
		});
		expect(readFileSync(out, 'utf8')).to.contain('log: kernel Linux version');
	});
});
