// SPDX-License-Identifier: GPL-2.0-only
// Groups, as the functions return that attach, claim, and set up: what the core's records say, against what each device was
// really attached to.
//
//   INV-ERR   a function that failed has changed something; one that succeeded has not done it
//   INV-PERM  a group that somebody owns, or owned, is not in the domain that keeps devices where they belong
//   INV-REFS  group->domain is not what its devices are attached to; owner_cnt does not count who uses it
//   INV-LEAK  a domain is left that nobody has any more, or what the driver made for a device

import type { group_device, iommu_group } from '#drivers/iommu/iommu.js';
import { dev_name, type device } from '#linux/device.js';
import type { iommu_domain } from '#linux/iommu.js';
import { list_for_each_entry } from '#linux/list.js';
import type { After, RuleSet } from './core-calls.js';
import type { CoreDomains } from './core-domains.js';
import type { Domains } from './domains.js';
import { asReturns, type Invariant } from './report.js';
import type { Watched } from './watcher.js';

/** What the core's record of a group says. */
interface State {
	readonly domain: iommu_domain | null;
	readonly default_domain: iommu_domain | null;
	readonly blocking_domain: iommu_domain | null;
	readonly owner: unknown;
	readonly owner_cnt: number;
	readonly attached: ReadonlyMap<device, iommu_domain | null>;
}

/** What it has to say as a function returns; what is not named may be anything. */
type Wanted = Partial<Pick<State, 'domain' | 'owner' | 'owner_cnt'>>;
/** What that is, of a call that succeeded, by what was before. */
type Effect = (before: State, group: iommu_group) => Wanted;

export class CoreGroups {
	/** What each device was attached to last. */
	readonly #attached = new WeakMap<device, iommu_domain | null>();
	/** A domain that it refused since. */
	readonly #refused = new WeakMap<device, iommu_domain>();
	/** Functions that have not returned: the outermost answers for what is inside. */
	#depth = 0;

	constructor(
		readonly watched: Watched,
		readonly domains: Domains,
		readonly made: CoreDomains,
	) {}

	addTo(set: RuleSet): void {
		const by = (dev: device): iommu_group | null => dev.iommu_group;
		const to =
			(domain: iommu_domain): Effect =>
			() => ({ domain });
		set
			.on('__iommu_attach_device', (domain: iommu_domain, dev: device): After<number> => {
				return (ret) => {
					if (ret !== 0) this.#refused.set(dev, domain);
					else {
						this.#refused.delete(dev);
						this.#attached.set(dev, domain);
					}
				};
			})
			.on('iommu_attach_group', (domain: iommu_domain, group: iommu_group) =>
				this.#call('iommu_attach_group', group, to(domain)),
			)
			.on('iommu_attach_device', (domain: iommu_domain, dev: device) =>
				this.#call('iommu_attach_device', by(dev), to(domain)),
			)
			.on('iommu_group_replace_domain', (group: iommu_group, domain: iommu_domain) =>
				this.#call('iommu_group_replace_domain', group, to(domain)),
			)
			.on('iommu_detach_group', (_domain: iommu_domain, group: iommu_group) =>
				this.#call('iommu_detach_group', group, detached),
			)
			.on('iommu_detach_device', (domain: iommu_domain, dev: device) =>
				this.#call(
					'iommu_detach_device',
					by(dev),
					// Who detaches what is not attached is warned.
					by(dev)?.domain === domain ? detached : () => ({}),
				),
			)
			.on('iommu_group_claim_dma_owner', (group: iommu_group, owner: unknown) =>
				this.#call('iommu_group_claim_dma_owner', group, claimed(owner)),
			)
			.on('iommu_device_claim_dma_owner', (dev: device, owner: unknown) =>
				this.#call('iommu_device_claim_dma_owner', by(dev), claimed(owner)),
			)
			.on('iommu_group_release_dma_owner', (group: iommu_group) =>
				this.#call('iommu_group_release_dma_owner', group, (before) => releasedOwner(before, 0)),
			)
			.on('iommu_device_release_dma_owner', (dev: device) =>
				this.#call('iommu_device_release_dma_owner', by(dev), (before) =>
					releasedOwner(before, before.owner_cnt - 1),
				),
			)
			.on('iommu_device_use_default_domain', (dev: device) =>
				this.#call('iommu_device_use_default_domain', by(dev), ({ owner_cnt }) => ({
					owner_cnt: owner_cnt + 1,
				})),
			)
			.on('iommu_device_unuse_default_domain', (dev: device) =>
				this.#call('iommu_device_unuse_default_domain', by(dev), ({ owner_cnt }) => ({
					owner_cnt: Math.max(0, owner_cnt - 1),
				})),
			)
			.on('iommu_setup_default_domain', (group: iommu_group) =>
				this.#call('iommu_setup_default_domain', group, (_before, { default_domain }) => ({
					domain: default_domain,
				})),
			)
			.on('iommu_probe_device', (dev: device): After<number> => this.#probes(dev))
			.on('iommu_deinit_device', (dev: device): After<void> => this.#deinit(dev));
	}

	#call(fn: string, group: iommu_group | null, effect: Effect): After<number | undefined> | null {
		if (group === null) return null;
		const before = this.#stateOf(group);
		const domains = new Set(this.made.live);
		const outermost = this.#depth++ === 0;
		return (ret) => {
			this.#depth--;
			// Another CPU may have done the same in the meantime.
			if (this.watched.machine.hook !== null) return;
			const now = this.#stateOf(group);
			const failed = ret !== undefined && ret < 0;
			// The first default domain stays, also when not every device takes it.
			const keeps = failed && !(fn === 'iommu_setup_default_domain' && before.domain === null);
			const wanted: Wanted = failed ? (keeps ? before : {}) : effect(before, group);
			this.#compare(fn, group, wanted, before, now, failed ? ret : null);
			this.#agree(fn, group, now, failed ? ret : null);
			if (outermost) this.#unused(fn, group, before, domains, now);
		};
	}

	#stateOf(group: iommu_group): State {
		const attached = new Map<device, iommu_domain | null>();
		for (const { dev } of list_for_each_entry<group_device>(group.devices))
			attached.set(dev, this.#attached.get(dev) ?? null);
		const { domain, default_domain, blocking_domain, owner, owner_cnt } = group;
		return { domain, default_domain, blocking_domain, owner, owner_cnt, attached };
	}

	/** @ret: the error; null: it has succeeded. */
	#compare(
		fn: string,
		group: iommu_group,
		wanted: Wanted,
		before: State,
		now: State,
		ret: number | null,
	): void {
		const how = ret === null ? `${fn}() has returned` : `${fn}() has returned ${ret}`;
		if (wanted.domain !== undefined && now.domain !== wanted.domain)
			this.#find(ret === null && wanted.domain === now.blocking_domain ? 'INV-PERM' : 'INV-ERR', fn, group, {
				kind: ret === null ? 'wrong-domain' : 'error-leaves-changes',
				details: [
					`${how}, and the domain of group ${group.id} is ${nameOf(now.domain, now)}; it was ${nameOf(before.domain, before)}, and should be ${nameOf(wanted.domain, now)}`,
				],
				advice:
					ret === null
						? `${fn}() must attach every device of the group to ${nameOf(wanted.domain, now)}, and say so in group->domain: look at which domain it gives to __iommu_group_set_domain(), or whether it calls that at all`
						: `${fn}() has to leave the group as it was when it fails: group->domain is set before all that can fail is done, or not set back`,
			});
		if (wanted.owner_cnt !== undefined && now.owner_cnt !== wanted.owner_cnt)
			this.#find('INV-REFS', fn, group, {
				kind: 'wrong-owner-count',
				details: [
					`${how}, and owner_cnt of group ${group.id} is ${now.owner_cnt}; it was ${before.owner_cnt}, and should be ${wanted.owner_cnt}`,
				],
				advice: `${fn}() does not count group->owner_cnt ${now.owner_cnt > wanted.owner_cnt ? 'down' : 'up'}, or does so also when it fails: with a wrong count nobody can claim the group any more, or two can`,
			});
		if ('owner' in wanted && now.owner !== wanted.owner)
			this.#find('INV-REFS', fn, group, {
				kind: 'wrong-owner',
				details: [
					`${how}, and group ${group.id} is ${now.owner === null ? "nobody's" : 'owned'}; it should be ${wanted.owner === null ? "nobody's" : "its claimant's"}`,
				],
				advice: `${fn}() does not set group->owner as it should: ${ret === null ? 'the owner goes with the last claim, and comes with the first' : 'it fails, and the owner has to stay'}`,
			});
		if (ret !== null && wanted === before && now.default_domain !== before.default_domain)
			this.#find('INV-ERR', fn, group, {
				kind: 'error-leaves-changes',
				details: [`${how}, and group ${group.id} has another default domain than before`],
				advice: `${fn}() has to put the old default domain back (group->default_domain) when it fails`,
			});
	}

	/** Each device is attached to what the group says. */
	#agree(fn: string, group: iommu_group, now: State, ret: number | null): void {
		for (const [dev, domain] of now.attached) {
			if (domain === now.domain || now.domain === null || domain === null) continue;
			// It was tried at least: whoever refuses the old domain has warned.
			if (this.#refused.get(dev) === now.domain || dev.iommu?.attach_deferred) continue;
			this.#find(ret === null ? 'INV-REFS' : 'INV-ERR', fn, group, {
				kind: 'attached-elsewhere',
				details: [
					`${fn}() has returned${ret === null ? '' : ` ${ret}`}, the domain of group ${group.id} is ${nameOf(now.domain, now)}, and ${dev_name(dev)} is attached to ${nameOf(domain, now)}`,
				],
				advice:
					ret === null
						? `${fn}() (__iommu_group_set_domain_internal()) must attach each device of the group: ${dev_name(dev)} was left out`
						: `when one device of the group refuses the new domain, __iommu_group_set_domain_internal() has to attach those before it (and it) to group->domain again: ${dev_name(dev)} was not`,
			});
		}
	}

	/** No domain is left that was made in @fn, or was the group's before, and that nobody has now. */
	#unused(fn: string, group: iommu_group, before: State, was: ReadonlySet<iommu_domain>, now: State): void {
		const { live } = this.made;
		for (const domain of live) {
			const own = domain === before.default_domain || domain === before.blocking_domain;
			if (was.has(domain) && !own) continue;
			if (domain === now.domain || domain === now.default_domain || domain === now.blocking_domain) continue;
			live.delete(domain);
			this.#find('INV-LEAK', fn, group, {
				kind: 'domain-leak',
				details: [
					`${fn}() has returned, and ${own ? 'the domain that was the default (or blocking) one' : 'a domain that it has allocated'} is nobody's now, and not freed`,
				],
				advice: `${fn}() has to iommu_domain_free() ${own ? 'the old domain when the new one is attached' : 'the domain that it has allocated when it fails, or does not use it'}`,
			});
		}
	}

	#probes(dev: device): After<number> {
		const had = dev.iommu_group;
		return (ret) => {
			if (this.watched.machine.hook !== null) return;
			const group = dev.iommu_group;
			if (ret < 0 && had === null && group !== null)
				this.#find('INV-ERR', 'iommu_probe_device', group, {
					kind: 'error-leaves-changes',
					details: [
						`iommu_probe_device() of ${dev_name(dev)} has returned ${ret}, and it is in group ${group.id}`,
					],
					advice:
						'iommu_probe_device() (__iommu_probe_device()) has to take the device out of its group again when it fails: list_del(), iommu_deinit_device(), iommu_group_put()',
				});
			if (ret === 0 && group !== null) this.#agree('iommu_probe_device', group, this.#stateOf(group), null);
		};
	}

	/** @dev's IOMMU forgets it. */
	#deinit(dev: device): After<void> {
		const ops = this.domains.drives(dev) ? (dev.iommu?.iommu_dev?.ops ?? null) : null;
		const group = dev.iommu_group;
		const dma = group?.default_domain ?? null;
		const blocking = group?.blocking_domain ?? null;
		if (this.domains.lastReleased === dev) this.domains.lastReleased = null;
		return () => {
			this.#attached.delete(dev);
			if (group === null) return;
			if (ops?.release_device !== undefined && this.domains.lastReleased !== dev)
				this.#find('INV-LEAK', 'iommu_deinit_device', group, {
					kind: 'not-released',
					details: [
						`iommu_deinit_device() of ${dev_name(dev)} has returned, and ${ops.release_device.name}() was not called`,
					],
					advice: `iommu_deinit_device() has to call ops->release_device(dev), before the group's domains are freed: what probe_device() has made for the device is the driver's to undo`,
				});
			const { live } = this.made;
			if (![...list_for_each_entry<group_device>(group.devices)].some((member) => member.dev !== dev))
				for (const domain of [dma, blocking])
					if (domain !== null && live.delete(domain))
						this.#find('INV-LEAK', 'iommu_deinit_device', group, {
							kind: 'domain-leak',
							details: [
								`iommu_deinit_device() of ${dev_name(dev)}, the last device of group ${group.id}, has returned, and ${domain === dma ? 'its default domain' : 'its blocking domain'} is not freed`,
							],
							advice: `iommu_deinit_device() (iommu_group_free_domains()) has to iommu_domain_free() the group's default and blocking domains with the last device`,
						});
		};
	}

	#find(
		invariant: Invariant,
		fn: string,
		group: iommu_group,
		said: { readonly kind: string; readonly details: readonly string[]; readonly advice: string },
	): void {
		this.watched.find({ invariant, device: `group ${group.id}`, ...asReturns(fn), ...said });
	}
}

/** Back to the kernel's own domain, or to none while somebody owns the group. */
function detached({ owner, default_domain, blocking_domain }: State): Wanted {
	return { domain: owner === null ? default_domain : blocking_domain };
}

function claimed(owner: unknown): Effect {
	return ({ owner_cnt }, { blocking_domain }) =>
		owner_cnt === 0
			? { owner, owner_cnt: 1, domain: blocking_domain ?? undefined }
			: { owner, owner_cnt: owner_cnt + 1 };
}

/** One claim goes, and @left are left. */
function releasedOwner(before: State, left: number): Wanted {
	// Nobody has claimed it: that is warned of.
	if (before.owner_cnt === 0 || before.owner === null) return {};
	return left > 0 ? { owner_cnt: left } : { owner_cnt: 0, owner: null, domain: before.default_domain };
}

function nameOf(domain: iommu_domain | null, { default_domain, blocking_domain }: State): string {
	if (domain === null) return 'none';
	if (domain === default_domain) return 'the default domain';
	if (domain === blocking_domain) return 'the blocking domain';
	return 'the domain that was asked for, or another';
}
