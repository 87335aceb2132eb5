// SPDX-License-Identifier: GPL-2.0-only
// The whole machine, in a worker of the page: it takes requests and answers each with what is to be seen.

import { Interpreter } from '#tools/see/interpreter.js';
import { viewOf } from '#tools/see/view.js';
import { CommandError } from '#tools/see/words.js';
import type { Answer, Boards, Request, Run } from './protocol.js';

/** What is used of a worker's global object. */
interface Scope {
	readonly boards: Boards;
	/** The picture of the main job, in base64. */
	readonly picture: string;
	/** The modules of the worker's one file, by the line that they begin in. */
	readonly modules: readonly (readonly [line: number, path: string])[];
	onmessage:
		| ((event: { readonly data: { readonly number: number; readonly request: Request } }) => void)
		| null;
	postMessage(answer: Answer): void;
}

const scope = globalThis as unknown as Scope;

/** The module that line @line of the one file is of, and which line of it that is. */
function placeOf(line: number): string {
	const { modules } = scope;
	let at = 0;
	for (let past = modules.length; past - at > 1; ) {
		const middle = (at + past) >> 1;
		if (modules[middle][0] <= line) at = middle;
		else past = middle;
	}
	const [from, path] = modules[at];
	return `file:///${path.replace(/^build\//, '')}:${line - from}:1`;
}

// A stack that names the files that the machine is made of: V8's, as others have no such hook.
Error.prepareStackTrace = (error, sites) =>
	[
		`${error}`,
		...sites.map(
			(site) => `    at ${site.getFunctionName() ?? '<anonymous>'} (${placeOf(site.getLineNumber() ?? 0)})`,
		),
	].join('\n');

let interpreter: Interpreter | null = null;

function bytesOf(base64: string): Uint8Array {
	return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** A machine anew, up to where @run looks; what its commands answered. */
function begin({ board, append, seed, script, step }: Run): string[] {
	const tree = scope.boards[board];
	if (tree === undefined)
		throw new CommandError(`expected a board, ${Object.keys(scope.boards).join(' or ')}, got "${board}"`);
	const made = new Interpreter({
		board,
		dtb: bytesOf(tree),
		append,
		seed,
		picture: { file: 'picture.jpg', bytes: () => bytesOf(scope.picture) },
	});
	interpreter = made;
	const lines = [...made.greeting];
	for (const line of script) lines.push(`> ${line}`, ...made.exec(line));
	if (step !== null) made.exec(`goto ${step}`);
	return lines;
}

function linesOf(request: Request): string[] {
	if (request.what === 'run') return begin(request.run);
	if (interpreter === null) throw new CommandError('expected a board that runs, got none');
	if (request.what === 'exec') return interpreter.exec(request.line);
	if (request.what === 'complete') return interpreter.complete(request.line);
	interpreter.exec(request.step === null ? 'now' : `goto ${request.step}`);
	return [];
}

scope.onmessage = ({ data: { number, request } }) => {
	let lines: readonly string[] = [];
	let error: string | null = null;
	try {
		lines = linesOf(request);
	} catch (e) {
		if (!(e instanceof CommandError)) throw e;
		lines = e.said;
		error = e.message;
	}
	const view = request.what === 'complete' || interpreter === null ? null : viewOf(interpreter.replay);
	scope.postMessage({ number, lines, error, view });
};
