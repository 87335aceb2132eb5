// SPDX-License-Identifier: GPL-2.0-only
// From the teaching IOMMU's names to those of a new one.

/** A name's forms: `my-iommu` is `my_`, `MY_`, `My` in code. */
export class Names {
	readonly name: string;
	readonly #base: string;

	/** @name: lower-case words with hyphens between them. */
	constructor(name: string) {
		this.name = name;
		this.#base = name.replace(/-iommu$/, '');
	}

	get compatible(): string {
		return `vendor,${this.name}`;
	}

	/** `my`: before an underscore in functions. */
	get snake(): string {
		return this.#base.replaceAll('-', '_');
	}

	/** `My`: in front of a class. */
	get camel(): string {
		return this.#base.replace(/(?:^|-)(.)/g, (_all, first: string) => first.toUpperCase());
	}

	/** @text of the teaching IOMMU, as it is for this one. */
	translate(text: string): string {
		const lower = this.camel[0].toLowerCase() + this.camel.slice(1);
		return text
			.replaceAll('linux-iommu-ts,edu-board', 'vendor,board')
			.replaceAll('linux-iommu-ts,edu-iommu', this.compatible)
			.replaceAll('Documentation/edu-iommu.md', 'Documentation/edu\u0000-iommu.md')
			.replaceAll('edu-iommu', this.name)
			.replace(/edu(?=[A-Z])/g, lower)
			.replaceAll('Edu', this.camel)
			.replaceAll('EDU_', `${this.snake.toUpperCase()}_`)
			.replaceAll('edu_', `${this.snake}_`)
			.replaceAll('edu\u0000-iommu', 'edu-iommu');
	}
}

/** Whether @name can be one; what it has to be otherwise. */
export function badName(name: string): string | null {
	return /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) && name !== 'iommu'
		? null
		: `"${name}": expected a name of lower-case letters, digits and single hyphens, such as my-iommu`;
}
