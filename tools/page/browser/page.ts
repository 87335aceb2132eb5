// SPDX-License-Identifier: GPL-2.0-only
// The page: asks the machine in its worker, and shows what it answers. What is looked at stands in the address.

import type { Answer, Boards, Request, Run } from '#tools/page/protocol.js';
import type { View } from '#tools/see/view.js';

/** Put there by the build: the worker's program, and the boards. */
declare const WORKER: string;
declare const MODULES: readonly (readonly [number, string])[];
declare const BOARDS: Boards;
declare const PICTURE: string;

function byId<T extends HTMLElement>(id: string): T {
	return document.getElementById(id) as T;
}

/** An element with @text, or with others, in it. */
function element(tag: string, inside: string | readonly Node[], as = ''): HTMLElement {
	const made = document.createElement(tag);
	if (as !== '') made.className = as;
	if (typeof inside === 'string') made.textContent = inside;
	else made.append(...inside);
	return made;
}

const worker = new Worker(
	URL.createObjectURL(
		// What is behind the program does not move its lines.
		new Blob(
			[
				`globalThis.modules=${JSON.stringify(MODULES)};globalThis.boards=${JSON.stringify(BOARDS)};globalThis.picture=${JSON.stringify(PICTURE)};`,
				WORKER,
			],
			{
				type: 'text/javascript',
			},
		),
	),
);
const waiting = new Map<number, (answer: Answer) => void>();
let asked = 0;

function ask(request: Request): Promise<Answer> {
	const number = ++asked;
	worker.postMessage({ number, request });
	return new Promise((resolve) => waiting.set(number, resolve));
}

worker.onmessage = ({ data }: MessageEvent<Answer>) => {
	waiting.get(data.number)?.(data);
	waiting.delete(data.number);
};
worker.onerror = (event) => {
	const trouble = byId('trouble');
	trouble.textContent = `The machine has stopped: ${event.message}. Boot starts it anew.`;
	trouble.hidden = false;
};

// --- what the address says

const DEFAULT: Run = { board: Object.keys(BOARDS)[0], append: '', seed: 1, script: [], step: null };

function runOfAddress(): Run {
	const words = new URLSearchParams(location.hash.slice(1));
	const step = Number(words.get('step'));
	return {
		board: words.get('board') ?? DEFAULT.board,
		append: words.get('append') ?? '',
		seed: Number(words.get('seed')) || 1,
		script: words.getAll('do'),
		step: step > 0 ? step : null,
	};
}

let run = runOfAddress();

function setAddress(view: View): void {
	run = { ...run, script: view.history.slice(1).map(({ line }) => line), step: view.now ? null : view.at };
	const words = new URLSearchParams({ board: run.board, seed: String(run.seed) });
	if (run.append !== '') words.set('append', run.append);
	for (const line of run.script) words.append('do', line);
	if (run.step !== null) words.set('step', String(run.step));
	history.replaceState(null, '', `#${words}`);
}

// --- what is shown

let view: View | null = null;

function showTime({ at, count, now, time, step, lanes, foundAt }: View): void {
	byId('where').textContent = now
		? `now, behind step ${count}, ${time} s`
		: `step ${at} of ${count}, ${time} s: [${step?.kind}] ${step?.who}: ${step?.text}`;
	const slider = byId<HTMLInputElement>('time');
	slider.max = String(count + 1);
	slider.value = String(now ? count + 1 : at);
	byId<HTMLButtonElement>('back').disabled = at <= 1 && !now;
	byId<HTMLButtonElement>('step').disabled = now;
	byId<HTMLButtonElement>('finding').disabled = foundAt.length === 0;
	showLanes(lanes, now ? 1 : (at - 1) / count);
}

/** Pixels of a lane's row, and of its name before it; the slider begins behind that, too. */
const ROW = 12;
const NAME = 72;

/** What there is of each kind of step, over the whole run; and where in it we are, from 0 to 1. */
function showLanes(lanes: View['lanes'], where: number): void {
	const canvas = byId<HTMLCanvasElement>('lanes');
	const kinds = Object.keys(lanes);
	canvas.height = kinds.length * ROW;
	canvas.width = canvas.clientWidth;
	const ink = canvas.getContext('2d')!;
	ink.fillStyle = getComputedStyle(canvas).color;
	ink.font = `${ROW - 2}px sans-serif`;
	const wide = canvas.width - NAME;
	for (const [row, kind] of kinds.entries()) {
		const cells = lanes[kind];
		const most = Math.max(...cells);
		ink.globalAlpha = 1;
		ink.fillText(kind, 0, (row + 1) * ROW - 3);
		for (const [i, many] of cells.entries()) {
			ink.globalAlpha = many === 0 ? 0 : 0.2 + (0.6 * many) / most;
			const from = NAME + (i * wide) / cells.length;
			ink.fillRect(from, row * ROW + 1, Math.ceil(wide / cells.length), ROW - 2);
		}
	}
	ink.globalAlpha = 1;
	ink.fillRect(NAME + where * (wide - 2), 0, 2, canvas.height);
}

function showSteps({ around, at, now, foundAt }: View): void {
	const found = new Set(foundAt);
	byId('steps').replaceChildren(
		...around.map(({ number, kind, who, text }) => {
			const button = element('button', `${number} [${kind}] ${who}: ${text}`);
			button.onclick = () => goTo(number);
			const line = element('li', [button], found.has(number) ? 'found' : '');
			if (number === at && !now) line.setAttribute('aria-current', 'step');
			return line;
		}),
	);
	byId('steps').querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
}

function rowsOf(
	head: readonly string[],
	rows: readonly (readonly string[])[],
	bad: readonly boolean[] = [],
): Node[] {
	return [
		element(
			'tr',
			head.map((text) => element('th', text)),
		),
		...rows.map((row, i) =>
			element(
				'tr',
				row.map((text) => element('td', text)),
				bad[i] ? 'stale' : '',
			),
		),
	];
}

function showMaps({ maps }: View): void {
	const rows = maps.flatMap(({ device, mappings, ranges }) => [
		...mappings.flatMap(({ size, direction, pages, mapped }) =>
			pages.map(({ first, last, phys }) => [
				device,
				`${first}..${last}`,
				phys,
				direction,
				`${size}`,
				mapped.what,
			]),
		),
		...ranges.map(({ first, last, phys, rights, mapped }) => [
			device,
			`${first}..${last}`,
			phys,
			rights,
			'',
			mapped.what,
		]),
	]);
	byId('maps').replaceChildren(
		...(rows.length === 0
			? [element('caption', 'nothing')]
			: rowsOf(['device', 'IOVA', 'memory', 'may', 'bytes', 'by'], rows)),
	);
}

function showCaches({ caches }: View): void {
	const full = caches.filter(({ entries }) => entries.length > 0);
	byId('caches').replaceChildren(
		...(full.length === 0 ? [element('caption', 'empty')] : []),
		...full.flatMap(({ iommu, cache, entries }) => {
			const title = element('td', `${iommu}: ${cache}`);
			title.setAttribute('colspan', '4');
			return [
				element('tr', [title]),
				...rowsOf(
					['address', 'leads to', 'from', ''],
					entries.map(({ iova, phys, valid, from, stale }) => [
						iova,
						valid ? phys : 'nothing',
						from,
						stale === null ? '' : 'stale',
					]),
					entries.map(({ stale }) => stale !== null),
				),
			];
		}),
	);
}

function show(shown: View): void {
	view = shown;
	setAddress(shown);
	showTime(shown);
	showSteps(shown);
	showMaps(shown);
	showCaches(shown);
	byId('stack').replaceChildren(
		...(shown.trace.length === 0
			? [element('li', shown.now ? 'user space' : 'no function', 'faint')]
			: shown.trace.map((frame) => element('li', frame))),
	);
	byId('log').textContent = shown.log.join('\n');
	byId('findings').textContent = shown.findings.join('\n\n') || 'none';
	byId('findings').classList.toggle('stale', shown.findings.length > 0);
}

function say(lines: readonly string[], as = ''): void {
	const said = byId('said');
	for (const line of lines) said.append(element('div', line, as));
	said.scrollTop = said.scrollHeight;
}

function take({ lines, error, view: shown }: Answer): void {
	say(lines);
	if (error !== null) say([error], 'wrong');
	if (shown !== null) show(shown);
	// Who waits for an answer (a test) sees that it has come.
	document.body.dataset['shown'] = String(asked);
}

// --- what is asked

/** One thing at a time: of what comes meanwhile the last step is gone to. */
let busy: Promise<void> = Promise.resolve();
let wanted: number | null | undefined;

function goTo(step: number | null): void {
	const first = wanted === undefined;
	wanted = step;
	if (first)
		busy = busy.then(async () => {
			const next = wanted!;
			wanted = undefined;
			take(await ask({ what: 'step', step: next }));
		});
}

function begin(): void {
	byId('said').replaceChildren();
	byId('trouble').hidden = true;
	busy = busy.then(async () => {
		take(await ask({ what: 'run', run }));
		document.body.dataset.ready = 'yes';
	});
}

function moveBy(by: number): void {
	if (view === null) return;
	const to = (view.now ? view.count + 1 : view.at) + by;
	goTo(to > view.count ? null : Math.max(1, to));
}

const entered: string[] = [];
let recalled = 0;

const command = byId<HTMLFormElement>('command');
const line = command.elements.namedItem('line') as HTMLInputElement;
command.onsubmit = (event) => {
	event.preventDefault();
	const text = line.value.trim();
	if (text === '') return;
	entered.push(text);
	recalled = entered.length;
	line.value = '';
	busy = busy.then(async () => {
		say([`> ${text}`], 'asked');
		take(await ask({ what: 'exec', line: text }));
	});
};
line.onkeydown = (event) => {
	event.stopPropagation();
	if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
	event.preventDefault();
	recalled = Math.min(entered.length, Math.max(0, recalled + (event.key === 'ArrowUp' ? -1 : 1)));
	line.value = entered[recalled] ?? '';
};
line.oninput = async () => {
	const { lines } = await ask({ what: 'complete', line: line.value });
	const begun = line.value.slice(0, line.value.lastIndexOf(' ') + 1);
	byId('words').replaceChildren(
		...lines.slice(0, 20).map((word) => {
			const option = document.createElement('option');
			option.value = begun + word;
			return option;
		}),
	);
};

const board = byId<HTMLFormElement>('board');
const field = (name: string): HTMLInputElement => board.elements.namedItem(name) as HTMLInputElement;
byId('board')
	.querySelector('select')!
	.append(...Object.keys(BOARDS).map((name) => element('option', name)));
board.onsubmit = (event) => {
	event.preventDefault();
	run = {
		...DEFAULT,
		board: field('board').value,
		append: field('append').value,
		seed: Number(field('seed').value) || 1,
	};
	begin();
};

byId('first').onclick = () => goTo(1);
byId('back').onclick = () => moveBy(-1);
byId('step').onclick = () => moveBy(1);
byId('now').onclick = () => goTo(null);
byId('finding').onclick = () => {
	busy = busy.then(async () => take(await ask({ what: 'exec', line: 'back-to finding' })));
};
byId<HTMLInputElement>('time').oninput = (event) => {
	const to = Number((event.target as HTMLInputElement).value);
	goTo(view !== null && to > view.count ? null : to);
};
globalThis.onresize = () => {
	if (view !== null) showTime(view);
};
document.onkeydown = ({ key, target }) => {
	if (target instanceof HTMLInputElement || target instanceof HTMLSelectElement) return;
	if (key === 'ArrowLeft') moveBy(-1);
	else if (key === 'ArrowRight') moveBy(1);
	else if (key === 'Home') goTo(1);
	else if (key === 'End') goTo(null);
};

// What scrolls by itself has to do so from the keyboard, too.
for (const box of document.querySelectorAll<HTMLElement>('.scroll, #said')) box.tabIndex = 0;

field('board').value = run.board;
field('append').value = run.append;
field('seed').value = String(run.seed);
begin();
