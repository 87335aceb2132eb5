// SPDX-License-Identifier: GPL-2.0-only
// What the core's records of groups, and domains that come and go, would be reported for.
import { expect } from 'chai';
import {
	iommu_attach_group,
	iommu_detach_group,
	iommu_device_unuse_default_domain,
	iommu_device_use_default_domain,
	iommu_domain_free,
	type iommu_group,
	type iommu_group_claim_dma_owner,
	iommu_paging_domain_alloc,
	report_iommu_fault,
} from '#drivers/iommu/iommu.js';
import type { device } from '#linux/device.js';
import { EBUSY, ENOSYS } from '#linux/errno.js';
import { IOMMU_FAULT_READ, type iommu_domain, type iommu_fault_handler_t } from '#linux/iommu.js';
import { ok } from '#tests/drivers/iommu/rig.js';
import { WatchedBoard } from './buffer-rig.js';
import { core } from './core.js';

describe('watch/core-groups', () => {
	let board: WatchedBoard;
	let dev: device;
	let group: iommu_group;
	let domain: iommu_domain;
	beforeEach(() => {
		board = new WatchedBoard('main');
		dev = board.device('m0');
		group = dev.iommu_group!;
		domain = ok(iommu_paging_domain_alloc(dev));
	});

	const attaches = (body: typeof iommu_attach_group): string[] =>
		board.kinds(() => core('iommu_attach_group', body, domain, group));

	it('say nothing where all is well, and where a call fails and changes nothing', () => {
		expect(attaches(() => -EBUSY)).to.deep.equal([]);
		expect(attaches(iommu_attach_group)).to.deep.equal([]);
		const rest = board.kinds(() => {
			core('iommu_detach_group', iommu_detach_group, domain, group);
			core('iommu_device_use_default_domain', iommu_device_use_default_domain, dev);
			core('iommu_device_unuse_default_domain', iommu_device_unuse_default_domain, dev);
			core('iommu_domain_free', iommu_domain_free, domain);
		});
		expect(rest).to.deep.equal([]);
	});

	it('report a group that is in another domain than was asked for', () => {
		expect(attaches(() => 0)).to.deep.equal(['INV-ERR wrong-domain return']);
	});

	it('report an error behind which the group is in the new domain', () => {
		const changed = attaches((to, of) => {
			of.domain = to;
			return -EBUSY;
		});
		expect(changed).to.deep.equal(['INV-ERR error-leaves-changes return']);
	});

	it('report a device that was left where it was when its group went', () => {
		core('__iommu_attach_device', () => 0, group.default_domain!, dev);
		const left = attaches((to, of) => {
			of.domain = to;
			return 0;
		});
		expect(left).to.deep.equal(['INV-REFS attached-elsewhere return']);
	});

	it('report users that are not counted', () => {
		const uses = board.kinds(() => core('iommu_device_use_default_domain', () => 0, dev));
		expect(uses).to.deep.equal(['INV-REFS wrong-owner-count return']);
		const leaves = board.kinds(() => {
			iommu_device_use_default_domain(dev);
			core('iommu_device_unuse_default_domain', () => {}, dev);
		});
		expect(leaves).to.deep.equal(['INV-REFS wrong-owner-count return']);
	});

	it('report a claim whose owner is not written down', () => {
		const body: typeof iommu_group_claim_dma_owner = (of) => {
			of.owner_cnt++;
			return 0;
		};
		const claims = board.kinds(() => core('iommu_group_claim_dma_owner', body, group, {}));
		expect(claims).to.deep.equal(['INV-REFS wrong-owner return']);
	});

	it('report a domain that was made in a call that failed, and is still there', () => {
		const kept = attaches(() => {
			core('iommu_driver_domain', () => ok(iommu_paging_domain_alloc(dev)), null, dev);
			return -EBUSY;
		});
		expect(kept).to.deep.equal(['INV-LEAK domain-leak return']);
	});
});

describe('watch/core-domains', () => {
	let board: WatchedBoard;
	let dev: device;
	let domain: iommu_domain;
	let calls: number;
	beforeEach(() => {
		board = new WatchedBoard('main');
		dev = board.device('m0');
		domain = ok(iommu_paging_domain_alloc(dev));
		calls = 0;
		domain.handler = () => {
			calls++;
			return 7;
		};
	});

	const reports = (body: typeof report_iommu_fault): string[] =>
		board.kinds(() => core('report_iommu_fault', body, domain, dev, 0x1000, IOMMU_FAULT_READ));

	it('say nothing of a fault that the handler hears of, and leave it as it was', () => {
		const handler = domain.handler as iommu_fault_handler_t;
		expect(reports(report_iommu_fault)).to.deep.equal([]);
		expect(calls).to.equal(1);
		expect(domain.handler).to.equal(handler);
	});

	const wrong: Readonly<Record<string, typeof report_iommu_fault>> = {
		'is not called': () => -ENOSYS,
		'is called twice': (...args) => {
			report_iommu_fault(...args);
			return report_iommu_fault(...args);
		},
		'hears of another address': (of, to, iova, flags) => report_iommu_fault(of, to, iova + 1, flags),
	};
	for (const [what, body] of Object.entries(wrong))
		it(`report a handler that ${what}`, () => {
			expect(reports(body)).to.deep.equal(['INV-FAULT handler-not-called return']);
		});

	it("report a handler's answer that is lost", () => {
		const lost = reports((...args) => {
			report_iommu_fault(...args);
			return 0;
		});
		expect(lost).to.deep.equal(['INV-FAULT fault-answer-lost return']);
	});

	it('report a domain that is freed without what it has', () => {
		expect(iommu_attach_group(domain, dev.iommu_group!)).to.equal(0);
		iommu_detach_group(domain, dev.iommu_group!);
		const frees = board.kinds(() => core('iommu_domain_free', () => {}, domain));
		expect(frees).to.deep.equal(['INV-LEAK domain-leak return']);
	});
});
