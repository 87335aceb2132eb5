// SPDX-License-Identifier: GPL-2.0-only
// The verb page: the machine in a browser, served, or as a file.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { quoted, statusOf, UsageError } from '#tools/run/user-error.js';
import { boards } from '#tools/see/options.js';
import { page } from './build.js';

const USAGE = [
	'usage: linux-iommu page [--port N] [--static FOLDER]',
	'serves the page, on this computer only, until it is stopped',
	'  --port N          where; 8080',
	'  --static FOLDER   writes index.html there instead: one file, which any web server, or the browser, opens',
].join('\n');

function parse(args: readonly string[]): { port: number; folder: string | undefined; help: boolean } {
	try {
		const { values } = parseArgs({
			args: [...args],
			options: {
				port: { type: 'string', default: '8080' },
				static: { type: 'string' },
				help: { type: 'boolean', default: false, short: 'h' },
			},
		});
		const port = /^\d+$/.test(values.port) ? Number(values.port) : Number.NaN;
		if (!(port <= 0xffff))
			throw new UsageError(`--port: expected a number up to 65535, got ${quoted(values.port)}`, USAGE);
		return { port, folder: values.static, help: values.help };
	} catch (e) {
		if (e instanceof UsageError) throw e;
		throw new UsageError((e as Error).message, USAGE);
	}
}

/** Serve @text at every address until the process ends. */
function serve(text: string, port: number): Promise<never> {
	const server = createServer((_request, response) => {
		response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(text);
	});
	return new Promise((_, reject) => {
		server.on('error', reject);
		server.listen(port, '127.0.0.1', () => {
			const address = server.address();
			console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : port}/`);
		});
	});
}

/** The exit status: 2 for a command line that is none. */
export function main(args: readonly string[]): Promise<number> {
	return statusOf(async () => {
		const { port, folder, help } = parse(args);
		if (help) {
			console.log(USAGE);
			return 0;
		}
		const text = await page(boards());
		if (folder === undefined) return serve(text, port);
		mkdirSync(folder, { recursive: true });
		const file = join(folder, 'index.html');
		writeFileSync(`${file}.part`, text);
		renameSync(`${file}.part`, file);
		console.log(file);
		return 0;
	});
}
