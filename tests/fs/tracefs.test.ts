// SPDX-License-Identifier: GPL-2.0-only
// The trace as `cat`, `echo >` and `echo >>` have it.
// Modes and answers: kernel/trace/trace.c, trace_events.c.
import { expect } from 'chai';
import { sysfs_append, sysfs_read, sysfs_readdir, sysfs_stat, sysfs_write } from '#fs/sysfs/user.js';
import { trace_create_file, trace_printk } from '#kernel/trace/trace.js';
import { EINVAL } from '#linux/errno.js';
import { bootMachine } from '#tests/boot.js';

const TRACING = '/sys/kernel/tracing';
const read = (file: string): string => sysfs_read(`${TRACING}/${file}`) as string;
const write = (file: string, text: string): number => sysfs_write(`${TRACING}/${file}`, text);

describe('fs_tracefs', () => {
	it('is at /sys/kernel/tracing and in debugfs', () => {
		bootMachine();
		const top = ['available_events', 'buffer_size_kb', 'events', 'set_event', 'trace', 'tracing_on'];
		expect(sysfs_readdir(TRACING)).to.deep.equal(top);
		expect(sysfs_readdir('/sys/kernel/debug/tracing')).to.deep.equal(top);
		expect(sysfs_readdir(`${TRACING}/../debug/tracing/../tracing`)).to.deep.equal(top);
		expect(sysfs_stat(`${TRACING}/trace`)).to.deep.equal({ type: 'F', mode: 0o640 });
		expect(sysfs_stat(`${TRACING}/available_events`)).to.deep.equal({ type: 'F', mode: 0o440 });
	});

	it('tells when a file cannot be made', () => {
		const { log } = bootMachine();
		// kernel/trace/trace.c, trace_create_file().
		trace_create_file('trace', 0o640, null, null, {});
		expect(log.join('\n')).to.include("Could not create tracefs 'trace' entry");
	});

	it('has a directory for each event', () => {
		bootMachine();
		expect(read('available_events').split('\n')).to.include.members(['iommu:map', 'dma:dma_map_sg']);
		expect(sysfs_readdir(`${TRACING}/events/iommu/map`)).to.deep.equal(['enable', 'format', 'id']);
		const id = read('events/iommu/map/id');
		expect(read('events/iommu/map/format').split('\n')).to.deep.equal([
			'name: map',
			`ID: ${id.trim()}`,
			'format:',
			'\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;',
			'\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;',
			'\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;',
			'\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;',
			'',
			'\tfield:u64 iova;\toffset:8;\tsize:8;\tsigned:0;',
			'\tfield:u64 paddr;\toffset:16;\tsize:8;\tsigned:0;',
			'\tfield:size_t size;\toffset:24;\tsize:8;\tsigned:0;',
			'',
			'print fmt: "IOMMU: iova=0x%016llx - 0x%016llx paddr=0x%016llx size=%zu", REC->iova, REC->iova + REC->size, REC->paddr, REC->size',
			'',
		]);
	});

	it('switches one event, a system, or all', () => {
		bootMachine();
		expect(read('events/iommu/map/enable')).to.equal('0\n');
		expect(write('events/iommu/map/enable', '1\n')).to.equal(2);
		expect(read('events/iommu/map/enable')).to.equal('1\n');
		expect(read('events/iommu/enable')).to.equal('X\n');
		expect(read('events/dma/enable')).to.equal('0\n');
		expect(write('events/iommu/enable', '1\n')).to.equal(2);
		expect(read('events/iommu/enable')).to.equal('1\n');
		expect(read('events/enable')).to.equal('X\n');
		expect(write('events/enable', '1\n')).to.equal(2);
		expect(read('events/enable')).to.equal('1\n');
		expect(write('events/enable', '2\n')).to.equal(-EINVAL);
		expect(write('events/dma/enable', 'on\n')).to.equal(-EINVAL);
		expect(write('events/iommu/map/enable', '2\n')).to.equal(-EINVAL);
		expect(write('events/enable', '0\n')).to.equal(2);
		expect(read('set_event')).to.equal('');
	});

	it('takes a choice in set_event: > begins anew, >> adds, ! takes away', () => {
		bootMachine();
		expect(write('set_event', 'iommu:map iommu:unmap\n')).to.equal(22);
		expect(read('set_event')).to.equal('iommu:map\niommu:unmap\n');
		expect(sysfs_append(`${TRACING}/set_event`, 'swiotlb\n')).to.equal(8);
		expect(sysfs_append(`${TRACING}/set_event`, '!iommu:map\n')).to.equal(11);
		expect(read('set_event').split('\n').sort()).to.deep.equal([
			'',
			'iommu:unmap',
			'swiotlb:swiotlb_bounced',
		]);
		expect(write('set_event', 'nothing\n')).to.equal(-EINVAL);
		expect(read('set_event')).to.equal('');
	});

	it('shows the trace; opening it as > does empties it, as >> does not', () => {
		bootMachine();
		trace_printk('hello');
		expect(read('trace')).to.match(/^# tracer: nop\n#\n# entries-in-buffer\/entries-written: 1\/1 {3}#P:1\n/);
		expect(read('trace')).to.match(/<idle>-0 +\[000\] \.{5} +\d+\.\d{6}: hello\n$/);
		sysfs_append(`${TRACING}/trace`, '\n');
		expect(read('trace')).to.contain('hello');
		expect(write('trace', '\n')).to.equal(1);
		expect(read('trace')).to.contain('written: 0/0').and.to.not.contain('hello');
	});

	it('stops and starts recording', () => {
		bootMachine();
		expect(read('tracing_on')).to.equal('1\n');
		expect(write('tracing_on', '0')).to.equal(1);
		trace_printk('lost');
		expect(read('tracing_on')).to.equal('0\n');
		write('tracing_on', '1');
		trace_printk('kept');
		expect(read('trace')).to.contain('kept').and.to.not.contain('lost');
	});

	it('keeps as many records as buffer_size_kb says, the newest', () => {
		bootMachine(undefined, { commandLine: 'trace_buf_size=1M' });
		expect(read('buffer_size_kb')).to.equal('1024\n');
		expect(write('buffer_size_kb', '0\n')).to.equal(-EINVAL);
		expect(write('buffer_size_kb', '1\n')).to.equal(2);
		for (let i = 0; i < 20; i++) trace_printk('number %d', i);
		expect(read('trace'))
			.to.contain('written: 16/20')
			.and.to.match(/number 4\n.*number 5\n/);
		expect(read('trace')).to.not.contain('number 3\n');
		write('buffer_size_kb', '2\n');
		for (let i = 20; i < 40; i++) trace_printk('number %d', i);
		expect(read('trace'))
			.to.contain('written: 32/40')
			.and.to.contain('number 8\n')
			.and.to.not.contain('number 7\n');
		// Made smaller, it keeps the newest: 24 to 39.
		write('buffer_size_kb', '1\n');
		expect(read('trace')).to.match(/FUNCTION\n.*\n[^\n]*number 24\n/);
		expect(read('trace')).to.match(/number 39\n$/);
	});

	it('records from the boot on with trace_event=', () => {
		bootMachine(undefined, { commandLine: 'trace_event=iommu:add_device_to_group' });
		expect(read('trace')).to.match(/: add_device_to_group: IOMMU: groupID=0 device=\w+\.video-codec\n/);
	});
});
