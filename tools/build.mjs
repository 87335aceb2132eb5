// SPDX-License-Identifier: GPL-2.0-only
// make build: what changed is compiled beside build/ and then put there a whole file at a time, so that programs that
// run meanwhile, and builds beside this one, each find files that belong together. make run: one file is made of them.
import { spawn } from 'node:child_process';
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(join(dirname(fileURLToPath(import.meta.url)), '..'));

/** As deep as build/, so that the source maps name the same files. */
const STAGE = '.build';
const BUILD = 'build';
const INFO = join(STAGE, 'tsbuildinfo');
/** Its time is when the compiler began to read: what changed since is compiled the next time. */
const STAMP = join(BUILD, '.stamp');
const LOCK = join(STAGE, 'lock');
/** Held for as long as it takes to look at a stale lock once more. */
const CLEARING = join(STAGE, 'lock.clearing');
const BEAT_MS = 1000;
/** A process that has not touched its lock for so long is another one with the same number, or none. */
const STALE_MS = 30_000;
/** Where the configuration stands. */
const CONFIG = 'include/linux/kconfig.js';
const PAGE_SHIFTS = ['12', '14'];
/** make run's program, as one file. */
const PROGRAM = 'tools/run/main.js';
const BUNDLE = 'bundle/run.js';
const MODULES = 'node_modules/.package-lock.json';

/** Whatever of @what a path has; null for a path that is not there, or is no longer. */
function ifThere(what) {
	try {
		return what();
	} catch (e) {
		if (e.code !== 'ENOENT') throw e;
		return null;
	}
}

function isAlive(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch (e) {
		return e.code === 'EPERM';
	}
}

/** `mkdir -p`; Node's own never comes back when the clone is deleted meanwhile. */
function makeFolder(path) {
	if (existsSync(path)) return;
	makeFolder(dirname(path));
	try {
		mkdirSync(path);
	} catch (e) {
		if (e.code !== 'EEXIST') throw e;
	}
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Make a file that is not there; whether it was so. */
function create(path, text) {
	try {
		writeFileSync(path, text, { flag: 'wx' });
		return true;
	} catch (e) {
		if (e.code !== 'EEXIST') throw e;
		return false;
	}
}

const isOld = (path) => Date.now() - (ifThere(() => statSync(path).mtimeMs) ?? Date.now()) > STALE_MS;

/** Whether the lock's owner ended without taking it along. */
function isStale() {
	const owner = Number(ifThere(() => readFileSync(LOCK, 'utf8')));
	return (owner > 0 && !isAlive(owner)) || isOld(LOCK);
}

/** Take a stale lock away; one process at a time, so that none takes away what another has made meanwhile. */
function clearStale() {
	if (create(CLEARING, '')) {
		if (isStale()) rmSync(LOCK, { force: true });
		rmSync(CLEARING, { force: true });
	} else if (isOld(CLEARING)) rmSync(CLEARING, { force: true });
}

/** Wait until no other build is at work in this clone. */
async function lock() {
	makeFolder(STAGE);
	while (!create(LOCK, String(process.pid))) {
		if (isStale()) clearStale();
		else await sleep(50);
	}
	setInterval(() => ifThere(() => utimesSync(LOCK, new Date(), new Date())), BEAT_MS).unref();
	process.on('exit', () => rmSync(LOCK, { force: true }));
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
}

/** Run a program to its end; its exit status. */
function run(program, args) {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, { stdio: 'inherit' });
		process.on('exit', () => child.kill());
		child.on('error', reject);
		child.on('close', (code) => resolve(code ?? 1));
	});
}

/** The files of a folder and of those in it, by their paths in it. */
function filesIn(folder, prefix = '') {
	return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
		const path = join(prefix, entry.name);
		return entry.isDirectory() ? filesIn(join(folder, entry.name), path) : [path];
	});
}

const ENDS = ['.js', '.js.map', '.d.ts'];
const isOutput = (path) => [...ENDS, '.json'].some((end) => path.endsWith(end));
const outputsOf = (source) => ENDS.map((end) => source.replace(/\.ts$/, end));

/** Whether node_modules holds what package-lock.json lists, but for what is made for other computers. */
function modulesAreInstalled() {
	const packages = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;
	const there = ifThere(() => packages(MODULES));
	return (
		there !== null &&
		Object.entries(packages('package-lock.json')).every(
			([path, { version, optional }]) =>
				path === '' || there[path]?.version === version || (there[path] === undefined && optional === true),
		)
	);
}

async function install() {
	if (!modulesAreInstalled()) {
		const code = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
		if (code !== 0) return code;
	}
	utimesSync(MODULES, new Date(), new Date());
	return 0;
}

/** The bytes of what the compiler made of a source; in the configuration, with what this build was asked for. */
function configured(path) {
	const bytes = readFileSync(join(STAGE, path));
	const shift = process.env.PAGE_SHIFT;
	if (path !== CONFIG || !shift) return bytes;
	return Buffer.from(bytes.toString().replace(/(CONFIG_PAGE_SHIFT = )\d+/, `$1${shift}`));
}

/** Put a file into build/, by a rename. */
function put(path, bytes) {
	const to = join(BUILD, path);
	makeFolder(dirname(to));
	const part = `${to}.part`;
	writeFileSync(part, bytes);
	renameSync(part, to);
}

/** Put what the compiler made into build/, and take away what has no source any more. */
function publish(outputs) {
	for (const path of outputs) {
		const [made, to] = [configured(path), join(BUILD, path)];
		if (!ifThere(() => readFileSync(to))?.equals(made)) put(path, made);
		if (made.toString('latin1', 0, 2) === '#!') chmodSync(to, 0o755);
	}
	const wanted = new Set([...outputs, BUNDLE, `${BUNDLE}.map`]);
	for (const folder of [STAGE, BUILD])
		for (const path of filesIn(folder)) if (isOutput(path) && !wanted.has(path)) rmSync(join(folder, path));
}

async function compile() {
	const { include: folders, exclude = [] } = JSON.parse(readFileSync('tsconfig.json', 'utf8'));
	const sources = folders
		.flatMap((folder) => filesIn(folder, folder))
		.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
		.filter((path) => !exclude.some((folder) => path.startsWith(`${folder}/`)));
	const outputs = sources.flatMap(outputsOf);
	const began = join(STAGE, 'stamp');
	writeFileSync(began, '');
	const tsc = [
		process.execPath,
		['node_modules/typescript/bin/tsc', '--outDir', STAGE, '--incremental', '--tsBuildInfoFile', INFO],
	];
	const code = await run(...tsc);
	if (code !== 0) return code;
	if (!outputs.every((path) => existsSync(join(STAGE, path)))) {
		// The compiler knows what changed, not what was taken away from its outputs.
		rmSync(INFO, { force: true });
		await run(...tsc);
	}
	// Data that a program imports; the compiler alone knows which.
	const data = filesIn(STAGE).filter((path) => path.endsWith('.json') && existsSync(path));
	publish([...outputs, ...data]);
	renameSync(began, STAMP);
	return 0;
}

/** Make one file of what is in build/. */
async function bundle() {
	const tool = await import('../build/tools/bundle.js');
	const { code, map } = await tool.bundle(join(BUILD, PROGRAM), join(BUILD, BUNDLE));
	put(`${BUNDLE}.map`, map);
	put(BUNDLE, code);
	return 0;
}

const TASKS = { install, compile, bundle };
const { PAGE_SHIFT } = process.env;
if (PAGE_SHIFT && !PAGE_SHIFTS.includes(PAGE_SHIFT)) {
	console.error(
		`PAGE_SHIFT=${PAGE_SHIFT}: expected ${PAGE_SHIFTS.join(' or ')}, the log2 of the bytes of a page`,
	);
	process.exit(1);
}
await lock();
process.exit(await TASKS[process.argv[2] ?? 'compile']());
