// SPDX-License-Identifier: GPL-2.0-only
// make page-test: the page in Debian's Chromium, from a file, as somebody opens it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { page as pageText } from '#tools/page/build.js';
import { boards } from '#tools/see/options.js';

const CHROMIUM = process.env['CHROMIUM'] || '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe('page', () => {
	let folder: string;
	let url: string;
	let browser: Browser;
	let tab: Page;
	/** What the browser complains of. */
	const complaints: string[] = [];

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'page-'));
		const file = join(folder, 'index.html');
		writeFileSync(file, await pageText(boards()));
		url = pathToFileURL(file).href;
		browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
	});

	after(async () => {
		await browser?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	afterEach(async () => {
		await tab?.close();
		expect(complaints.splice(0)).to.deep.equal([]);
	});

	/** Open the page at @address and wait for the machine. */
	async function open(address = '', look: 'light' | 'dark' = 'light'): Promise<void> {
		tab = await browser.newPage({ colorScheme: look });
		tab.on('pageerror', (error) => complaints.push(String(error)));
		tab.on('console', (message) => {
			if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
		});
		await tab.goto(`${url}${address}`);
		await tab.waitForSelector('body[data-ready]');
	}

	/** Have the page do @what, and wait until it shows what came of it. */
	async function shown(what: () => Promise<unknown>): Promise<void> {
		const before = await tab.getAttribute('body', 'data-shown');
		await what();
		await tab.waitForSelector(`body:not([data-shown="${before}"])`);
	}

	async function command(line: string): Promise<void> {
		await tab.fill('[name=line]', line);
		await shown(() => tab.press('[name=line]', 'Enter'));
	}

	const text = async (id: string): Promise<string> => (await tab.textContent(`#${id}`)) ?? '';
	const button = (id: string): Promise<void> => shown(() => tab.click(`#${id}`));

	/** All that is shown of a moment. */
	async function all(): Promise<string[]> {
		return Promise.all(['where', 'stack', 'steps', 'maps', 'caches', 'findings', 'log'].map(text));
	}

	it('boots each of the boards', async () => {
		for (const name of boards().keys()) {
			await open(`#board=${name}`);
			expect(await text('log'), name).to.include('Linux version 6.12');
			expect(await text('where'), name).to.match(/^now, behind step \d+/);
			await tab.close();
		}
	});

	it('does what is typed, as the prompt does, and says so of what is none', async () => {
		await open();
		await command('map 1c0e000.video-codec 8192 to');
		expect(await text('said')).to.include('$1 = 0xffffe000, 8192 bytes, DMA_TO_DEVICE');
		expect(await text('maps')).to.include('0xffffe000..0xffffffff');
		await command('mop');
		expect(await text('said')).to.match(/expected a command .*got "?mop/);
	});

	it('steps forward and back to what it showed', async () => {
		await open();
		await command('map 1c0e000.video-codec 4096 to');
		await shown(() => tab.fill('#time', '200'));
		const first = await all();
		for (let i = 0; i < 3; i++) await button('step');
		expect(await text('where')).to.match(/^step 203 /);
		for (let i = 0; i < 3; i++) await button('back');
		expect(await all()).to.deep.equal(first);
	});

	it('has what is looked at in its address', async () => {
		await open();
		await command('map 1c0e000.video-codec 4096 to');
		await shown(() => tab.fill('#time', '3390'));
		const before = await all();
		const { hash } = new URL(tab.url());
		await tab.close();
		await open(hash);
		expect(await all()).to.deep.equal(before);
	});

	it('shows what the sanitiser finds, and goes to where it did', async () => {
		await open();
		await command('map 1c0e000.video-codec 4096 to');
		await command('unmap $1');
		await command('dma 1c0e000.video-codec read $1 4');
		expect(await text('findings')).to.not.equal('none');
		await button('finding');
		expect(await text('where')).to.match(/^step \d+ of \d+, .*\[fault\]/);
		expect(await text('findings')).to.include('use-after-unmap');
	});

	for (const look of ['light', 'dark'] as const)
		it(`has nothing in the way of those who see or move otherwise (${look})`, async () => {
			await open('', look);
			await command('map 1c0e000.video-codec 4096 to');
			await button('back');
			await tab.evaluate(AXE);
			const serious = await tab.evaluate(async () => {
				const { axe } = globalThis as unknown as {
					axe: {
						run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
					};
				};
				return (await axe.run()).violations
					.filter(({ impact }) => impact === 'serious' || impact === 'critical')
					.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
			});
			expect(serious).to.deep.equal([]);
		});
});
