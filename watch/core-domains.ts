// SPDX-License-Identifier: GPL-2.0-only
// Domains that come and go, and what is passed on in them.
//
//   INV-LEAK   iommu_domain_free() leaves what belongs to the domain
//   INV-REFS   it frees one that a device is attached to
//   INV-FAULT  report_iommu_fault() does not call the domain's handler, or keeps to itself what that says

import { dev_name, type device } from '#linux/device.js';
import { type err_ptr, IS_ERR } from '#linux/err.js';
import type { iommu_domain, iommu_fault_handler_t, iommu_ops } from '#linux/iommu.js';
import type { After, RuleSet } from './core-calls.js';
import type { Domains } from './domains.js';
import { asReturns } from './report.js';
import type { Watched } from './watcher.js';

export class CoreDomains {
	/** Those that the core had a driver make, and has not freed. */
	readonly live = new Set<iommu_domain>();

	constructor(
		readonly watched: Watched,
		readonly domains: Domains,
	) {}

	addTo(set: RuleSet): void {
		set
			.on(
				'iommu_driver_domain',
				(_ops: iommu_ops, _dev: device | null): After<iommu_domain | err_ptr> =>
					(ret) => {
						if (ret !== null && !IS_ERR(ret)) this.live.add(ret);
					},
			)
			.on('iommu_domain_free', (domain: iommu_domain): After<void> => this.#frees(domain))
			.on(
				'report_iommu_fault',
				(domain: iommu_domain, dev: device, iova: number, flags: number): After<number> | null =>
					this.#reports(domain, dev, iova, flags),
			);
	}

	#frees(domain: iommu_domain): After<void> {
		const watch = this.domains.known(domain);
		const frees = domain.ops?.free !== undefined;
		return () => {
			this.live.delete(domain);
			const left: string[] = [];
			if (domain.iova_cookie !== null) left.push('the cookie of the DMA API (iommu_put_dma_cookie())');
			if (watch !== undefined && frees && this.domains.known(domain) === watch)
				left.push('what the driver has for it (ops->free())');
			for (const what of left)
				this.watched.find({
					invariant: 'INV-LEAK',
					kind: 'domain-leak',
					device: watch === undefined ? 'iommu' : this.domains.nameOf(watch),
					...asReturns('iommu_domain_free', `iommu_domain_free ${what}`),
					details: [`iommu_domain_free() has returned, and ${what} is not freed`],
					advice: `iommu_domain_free() has to free all that a domain has: ${what} is forgotten`,
				});
		};
	}

	/** The handler of @domain hears of it, once, with what the driver has said; its word is the driver's answer. */
	#reports(domain: iommu_domain, dev: device, iova: number, flags: number): After<number> | null {
		const { handler, handler_token } = domain;
		if (handler === null) return null;
		let calls = 0;
		let said = 0;
		let wrong = '';
		const listening: iommu_fault_handler_t = (of, to, at, kind, token) => {
			calls++;
			if (of !== domain || to !== dev || at !== iova || kind !== flags || token !== handler_token)
				wrong =
					'with other arguments than report_iommu_fault() has got, and the token of iommu_set_fault_handler()';
			said = handler(of, to, at, kind, token);
			return said;
		};
		domain.handler = listening;
		return (ret) => {
			if (domain.handler === listening) domain.handler = handler;
			if (calls !== 1) wrong = calls === 0 ? 'never' : `${calls} times`;
			const kept = wrong === '' && ret !== said;
			if (wrong === '' && !kept) return;
			this.watched.find({
				invariant: 'INV-FAULT',
				kind: kept ? 'fault-answer-lost' : 'handler-not-called',
				device: dev_name(dev),
				...asReturns('report_iommu_fault'),
				details: [
					kept
						? `report_iommu_fault() has returned ${ret}, and the handler ${said}`
						: `report_iommu_fault() has returned, and the domain's handler was called ${wrong}`,
				],
				advice: kept
					? 'report_iommu_fault() has to return what the handler says: the driver lets the access go on, or not, by that'
					: 'report_iommu_fault() has to call domain->handler once, if there is one: handler(domain, dev, iova, flags, domain->handler_token)',
			});
		};
	}
}
