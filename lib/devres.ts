// SPDX-License-Identifier: GPL-2.0-only
// Register mappings that end when their device is unbound.
// Linux 6.12: lib/devres.c
//
// Left out: port I/O, write-combining kinds, devm_of_iomap().
import {
	devm_kasprintf,
	devm_kstrdup,
	devres_add,
	devres_alloc,
	devres_destroy,
	devres_free,
} from '#drivers/base/devres.js';
import { devm_release_mem_region, devm_request_mem_region } from '#kernel/resource.js';
import { WARN_ON } from '#linux/bug.js';
import { dev_err_probe } from '#linux/dev_printk.js';
import { dev_name, type device } from '#linux/device.js';
import { ERR_PTR, type err_ptr } from '#linux/err.js';
import { EBUSY, EINVAL, ENOMEM } from '#linux/errno.js';
import { GFP_KERNEL } from '#linux/gfp_types.js';
import { ioremap, iounmap } from '#linux/io.js';
import { IORESOURCE_MEM, type resource, resource_size, resource_type } from '#linux/ioport.js';
import type { __iomem, int, resource_size_t } from '#linux/types.js';

class ioremap_devres {
	addr: __iomem = 0;
}

function devm_ioremap_release(_dev: device, res: unknown): void {
	iounmap((res as ioremap_devres).addr);
}

function devm_ioremap_match(_dev: device, res: unknown, match_data: unknown): int {
	return (res as ioremap_devres).addr === match_data ? 1 : 0;
}

/** ioremap() that ends with @dev's binding (lib/devres.c: devm_ioremap()). */
export function devm_ioremap(dev: device, offset: resource_size_t, size: resource_size_t): __iomem | null {
	const ptr = devres_alloc(devm_ioremap_release, ioremap_devres, GFP_KERNEL);
	if (ptr === null) return null;
	const addr = ioremap(offset, size);
	if (addr !== null) {
		ptr.addr = addr;
		devres_add(dev, ptr);
	} else {
		devres_free(ptr);
	}
	return addr;
}

/** End a mapping before its time (lib/devres.c: devm_iounmap()). */
export function devm_iounmap(dev: device, addr: __iomem): void {
	WARN_ON(devres_destroy(dev, devm_ioremap_release, devm_ioremap_match, addr) !== 0);
	iounmap(addr);
}

/**
 * Check, claim and map a resource (lib/devres.c: devm_ioremap_resource()).
 *
 * Returns the address, or -EINVAL, -EBUSY, -ENOMEM, which are logged.
 */
export function devm_ioremap_resource(dev: device, res: resource | null): __iomem | err_ptr {
	if (res === null || resource_type(res) !== IORESOURCE_MEM)
		return ERR_PTR(dev_err_probe(dev, -EINVAL, 'invalid resource %pR', res));
	const size = resource_size(res);
	const pretty_name =
		res.name !== null
			? devm_kasprintf(dev, GFP_KERNEL, '%s %s', dev_name(dev), res.name)
			: devm_kstrdup(dev, dev_name(dev), GFP_KERNEL);
	if (pretty_name === null)
		return ERR_PTR(dev_err_probe(dev, -ENOMEM, "can't generate pretty name for resource %pR", res));
	if (devm_request_mem_region(dev, res.start, size, pretty_name) === null)
		return ERR_PTR(dev_err_probe(dev, -EBUSY, "can't request region for resource %pR", res));
	const dest_ptr = devm_ioremap(dev, res.start, size);
	if (dest_ptr === null) {
		devm_release_mem_region(dev, res.start, size);
		return ERR_PTR(dev_err_probe(dev, -ENOMEM, 'ioremap failed for resource %pR', res));
	}
	return dest_ptr;
}
