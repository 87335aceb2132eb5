// SPDX-License-Identifier: GPL-2.0-only
// dma_map_benchmark, the program: asks the kernel's benchmark and prints its three lines.
// Linux 6.12: tools/testing/selftests/dma/dma_map_benchmark.c; what it says and how it ends are that program's.
//
// Beyond that program it boots the board and binds the device: --dtb, --device, --append (kernel command line).
import { dev_name } from '#linux/device.js';
import '#init/vmlinux.js';
import { parseArgs } from 'node:util';
import { sysfs_ioctl, sysfs_lookup, sysfs_write } from '#fs/sysfs/user.js';
import { IS_ERR } from '#linux/err.js';
import { errname } from '#linux/errno.js';
import {
	DMA_MAP_BENCHMARK,
	DMA_MAP_BIDIRECTIONAL,
	DMA_MAP_FROM_DEVICE,
	DMA_MAP_MAX_SECONDS,
	DMA_MAP_MAX_THREADS,
	DMA_MAP_MAX_TRANS_DELAY,
	DMA_MAP_TO_DEVICE,
	map_benchmark,
} from '#linux/map_benchmark.js';
import '#tools/lost-output.js';
import { boot, deviceOf } from '#tools/bench/boards.js';
import { BOARD_DTB } from '#tools/project.js';
import { complain, UsageError, UserError } from '#tools/run/user-error.js';

const FILE = '/sys/kernel/debug/dma_map_benchmark';

const DIRECTIONS: Readonly<Record<number, string>> = {
	[DMA_MAP_BIDIRECTIONAL]: 'BIDIRECTIONAL',
	[DMA_MAP_TO_DEVICE]: 'TO_DEVICE',
	[DMA_MAP_FROM_DEVICE]: 'FROM_DEVICE',
};

const USAGE =
	'usage: dma_map_benchmark [-t threads] [-s seconds] [-n node] [-b mask bits] [-d 0|1|2] [-x ns] [-g pages] ' +
	'[--dtb board.dtb] [--device name] [--append "kernel command line"]';

export interface BenchmarkOptions {
	readonly question: map_benchmark;
	readonly dtb: string;
	readonly device: string;
	readonly append: string;
}

/** What the command line asks for. */
export function parseBenchmark(argv: string[]): BenchmarkOptions {
	let values: Record<string, string>;
	// To parseArgs() a value that begins with a dash looks like another option, unless it is stuck to its own.
	const args = argv.flatMap((arg, i) => {
		if (/^-\d+$/.test(arg) && i > 0) return [];
		return /^-\d+$/.test(argv[i + 1] ?? '') ? [arg + argv[i + 1]] : [arg];
	});
	try {
		({ values } = parseArgs({
			args,
			options: {
				threads: { type: 'string', short: 't', default: '1' },
				seconds: { type: 'string', short: 's', default: '20' },
				node: { type: 'string', short: 'n', default: '-1' },
				bits: { type: 'string', short: 'b', default: '32' },
				dir: { type: 'string', short: 'd', default: String(DMA_MAP_BIDIRECTIONAL) },
				xdelay: { type: 'string', short: 'x', default: '0' },
				granule: { type: 'string', short: 'g', default: '1' },
				dtb: { type: 'string', default: BOARD_DTB },
				device: { type: 'string', default: '' },
				append: { type: 'string', default: '' },
			},
		}));
	} catch (e) {
		throw new UsageError((e as Error).message, USAGE);
	}
	const whole = (name: string): number => (/^-?\d+$/.test(values[name]) ? Number(values[name]) : Number.NaN);
	const inside = (name: string, least: number, most: number, what: string): number => {
		const value = whole(name);
		if (!(value >= least && value <= most)) throw new UserError(what);
		return value;
	};
	const question = new map_benchmark();
	question.threads = inside(
		'threads',
		1,
		DMA_MAP_MAX_THREADS,
		`invalid number of threads, must be in 1-${DMA_MAP_MAX_THREADS}`,
	);
	question.seconds = inside(
		'seconds',
		1,
		DMA_MAP_MAX_SECONDS,
		`invalid number of seconds, must be in 1-${DMA_MAP_MAX_SECONDS}`,
	);
	question.dma_trans_ns = inside(
		'xdelay',
		0,
		DMA_MAP_MAX_TRANS_DELAY,
		`invalid transmit delay, must be in 0-${DMA_MAP_MAX_TRANS_DELAY}`,
	);
	question.dma_bits = inside('bits', 20, 64, 'invalid dma mask bit, must be in 20-64');
	question.dma_dir = inside('dir', 0, 2, 'invalid dma direction');
	question.granule = inside('granule', 1, 1024, 'invalid granule size');
	question.node = whole('node');
	if (Number.isNaN(question.node))
		throw new UserError(`-n: expected the number of a node, got "${values['node']}"`);
	return { question, dtb: values['dtb'], device: values['device'], append: values['append'] };
}

function write(path: string, text: string): void {
	const n = sysfs_write(path, text);
	if (n < 0) throw new UserError(`cannot write "${text}" to ${path}: ${errname(n)}`);
}

/** Take @name ("": the video engine) from its driver and give it to the benchmark's: the commands that Documentation names. */
export function bindBenchmark(name = ''): void {
	const device = dev_name(deviceOf(name));
	const dir = `/sys/bus/platform/devices/${device}`;
	write(`${dir}/driver_override`, 'dma_map_benchmark');
	if (!IS_ERR(sysfs_lookup(`${dir}/driver`))) write(`${dir}/driver/unbind`, device);
	write('/sys/bus/platform/drivers/dma_map_benchmark/bind', device);
}

/** Ask the kernel; @question takes the answer too. */
export function ask(question: map_benchmark): void {
	const ret = sysfs_ioctl(FILE, DMA_MAP_BENCHMARK, question);
	if (ret !== 0) throw new UserError(`ioctl: ${errname(ret)}`);
}

/** The three lines. */
export function lines(answer: map_benchmark): string[] {
	const { threads, seconds, node, granule } = answer;
	const us = (units: number): string => (units / 10).toFixed(1);
	return [
		`dma mapping benchmark: threads:${threads} seconds:${seconds} node:${node} dir:${DIRECTIONS[answer.dma_dir]} granule: ${granule}`,
		`average map latency(us):${us(answer.avg_map_100ns)} standard deviation:${us(answer.map_stddev)}`,
		`average unmap latency(us):${us(answer.avg_unmap_100ns)} standard deviation:${us(answer.unmap_stddev)}`,
	];
}

function main(argv: string[]): void {
	try {
		const { question, dtb, device, append } = parseBenchmark(argv);
		boot(dtb, append);
		bindBenchmark(device);
		ask(question);
		for (const line of lines(question)) console.log(line);
		console.error("(by this computer's clock; threads take turns, on one CPU)");
	} catch (e) {
		const error = e as NodeJS.ErrnoException;
		if (!(e instanceof UserError) && error.code === undefined) throw e;
		process.exitCode = complain(error);
	}
}

if (process.argv[1]?.endsWith('dma_map_benchmark.js')) main(process.argv.slice(2));
