// SPDX-License-Identifier: GPL-2.0-only
// make test KTAP=1: what mocha's tests came to, in the Kernel's Test Anything Protocol, a subtest for each suite.
import type { Runner, Suite, Test } from 'mocha';
import { type KtapGroup, type KtapTest, ktapLines } from '#tools/ktap.js';

interface Group extends KtapGroup {
	readonly tests: (KtapTest | Group)[];
}

/** What `mocha --reporter` makes one of. */
export default class KtapReporter {
	/** The suites that are open, the outermost first. */
	readonly #open: Group[] = [{ name: '', tests: [] }];

	/** @print: where a line goes. */
	constructor(runner: Runner, _options: unknown, print: (line: string) => void = console.log) {
		const [all] = this.#open;
		runner.on('suite', ({ root, title }: Suite) => {
			if (root) return;
			const group: Group = { name: title, tests: [] };
			this.#open.at(-1)!.tests.push(group);
			this.#open.push(group);
		});
		runner.on('suite end', ({ root }: Suite) => {
			if (!root) this.#open.pop();
		});
		runner.on('pass', ({ title }: Test) => this.#over({ name: title, skip: null, problems: [] }));
		runner.on('pending', ({ title }: Test) => this.#over({ name: title, skip: '', problems: [] }));
		// A hook, too, which has a title of its own.
		runner.on('fail', ({ title }: Test, e: Error) =>
			this.#over({ name: title, skip: null, problems: [e.stack ?? String(e)] }),
		);
		runner.on('end', () => {
			for (const line of ktapLines(all!.tests)) print(line);
		});
	}

	#over(test: KtapTest): void {
		this.#open.at(-1)!.tests.push(test);
	}
}
