// SPDX-License-Identifier: GPL-2.0-only
// A user program draws into memory that a device reads: how the memory is mapped decides what the device gets.
import { pgprot_cached } from '#asm/pgtable.js';
import { dma_alloc_coherent, dma_mmap_coherent } from '#kernel/dma/mapping.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import { ref } from '#linux/types.js';
import { vm_insert_page } from '#mm/memory.js';
import { ksys_munmap } from '#mm/mmap.js';
import { vmalloc_to_page } from '#mm/vmalloc.js';
import { bytes, cachedBuffer, endWriting, map, openFile } from '#tests/mm/user.js';
import { Dmasan } from '#watch/dmasan.js';
import { boot } from './bench.js';

const { machine, device, master } = boot();
const dmasan = new Dmasan(machine);
const [dev, dma] = [device('m0'), new ref(0)];

function draw(how: string, fd: number, addr: number, text: string, done = (): unknown => 0): void {
	const vma = map(fd, 1);
	bytes(vma).set(new TextEncoder().encode(text));
	done();
	const got = new TextDecoder().decode(master('m0').fetch(addr, text.length)!).replace(/\0/g, '.');
	console.log(`${how} (${pgprot_cached(vma.pte_prot) ? '' : 'not '}cached): drawn ${text}, read ${got}`);
	ksys_munmap(vma);
}

const buffer = dma_alloc_coherent(dev, 4096, dma, GFP_KERNEL)!;
const right = openFile((vma) => dma_mmap_coherent(dev, vma, buffer, dma.value, 4096));
draw('dma_mmap_coherent', right, dma.value, 'circle');
const wrong = openFile((vma) => vm_insert_page(vma, vma.vm_start, vmalloc_to_page(buffer)!));
draw('vm_insert_page, vm_page_prot forgotten', wrong, dma.value, 'square');
console.log(dmasan.text());

const buf = cachedBuffer(dev);
draw('dma-buf', buf.fd, buf.dma, 'circle');
draw('dma-buf, DMA_BUF_IOCTL_SYNC', buf.fd, buf.dma, 'square', () => endWriting(buf.fd));
