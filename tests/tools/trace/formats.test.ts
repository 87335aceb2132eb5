// SPDX-License-Identifier: GPL-2.0-only
// The formats that are text.
import { expect } from 'chai';
import { printk_state } from '#kernel/printk/printk.js';
import { trace_lines } from '#kernel/trace/trace.js';
import { type RecordedJob, recordJob } from '#tests/watch/recorded-job.js';
import { FtraceWriter } from '#tools/trace/ftrace.js';
import { JsonlWriter } from '#tools/trace/jsonl.js';

/** Task, PID, CPU, five letters of context, time, event: as kernel/trace/trace_output.c: trace_print_context() has them. */
const LINE =
	/^ *(?<task>\S.{0,14})-(?<pid>\d{1,7}) {1,7}\[\d{3}\] [d.][.N][.hsH][.\d][.\d] +(?<time>\d+\.\d{6}): (?<event>\w+): (?<text>.*)$/;
/** Where the columns of the header point. */
const COLUMNS = { cpu: 25, flags: 31 };

describe('tools_trace_formats', () => {
	let job: RecordedJob;
	let lines: string[];
	/** The simulated file, of the same run. */
	let own: string[];
	before(() => {
		const writer = new FtraceWriter();
		job = recordJob({ onStep: (step) => writer.step(step) });
		own = trace_lines();
		const text = new TextDecoder().decode(writer.done(job.steps));
		expect(text.endsWith('\n')).to.equal(true);
		lines = text.slice(0, -1).split('\n');
	});
	const body = (): string[] => lines.filter((line) => !line.startsWith('#'));

	it("is ftrace text: the header of the nop tracer, and a line of the kernel's layout for each step", () => {
		expect(lines[0]).to.equal('# tracer: nop');
		expect(lines[2]).to.equal(
			`# entries-in-buffer/entries-written: ${job.steps.length}/${job.steps.length}   #P:1`,
		);
		expect(body()).to.have.length(job.steps.length);
		let last = 0;
		for (const line of body()) {
			expect(line).to.match(LINE);
			expect(line[COLUMNS.cpu], line).to.equal('[');
			expect(line.slice(COLUMNS.flags, COLUMNS.flags + 5), line).to.match(/^\S{5}$/);
			const time = Number(LINE.exec(line)?.groups?.['time']);
			expect(time, line).to.be.at.least(last);
			last = time;
		}
	});

	it('has the same header, and the same lines of tracepoints, as the simulated tracefs', () => {
		const header = (all: readonly string[]): string[] =>
			all.filter((line, i) => line.startsWith('#') && i !== 2);
		expect(header(lines)).to.deep.equal(header(own));
		const records = own.filter((line) => !line.startsWith('#'));
		expect(records.length).to.be.above(5);
		// The job empties the file now and then.
		const points = new Set(['trace', 'irq']);
		const all = body().filter((_, i) => points.has(job.steps[i].kind));
		expect(all.slice(-records.length)).to.deep.equal(records);
	});

	it('has what people grep', () => {
		const maps = body().filter((line) =>
			/ map: IOMMU: iova=0x[0-9a-f]{16} - 0x[0-9a-f]{16} paddr=0x[0-9a-f]{16} size=\d+$/.test(line),
		);
		expect(maps).to.have.length(job.steps.filter(({ text }) => text.startsWith('map: ')).length);
		expect(maps.length).to.be.above(10);
		expect(body().some((line) => / irq_handler_entry: irq=\d+ name=\S+$/.test(line))).to.equal(true);
	});

	it('is JSON lines: a step each, as it was recorded', () => {
		const text = new TextDecoder().decode(new JsonlWriter().done(job.steps));
		expect(
			text
				.split('\n')
				.slice(0, -1)
				.map((line) => JSON.parse(line)),
		).to.deep.equal(job.steps);
		expect(printk_state.log.length).to.be.above(0);
	});
});
