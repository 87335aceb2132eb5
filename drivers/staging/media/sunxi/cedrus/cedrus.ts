// SPDX-License-Identifier: GPL-2.0-only
// The video engine of Allwinner's chips as a V4L2 device.
// Linux 6.12: drivers/staging/media/sunxi/cedrus/cedrus.c
// Left out: controls, media requests and the media controller; chips without an IOMMU are in the table all the same.
import { devm_kzalloc } from '#drivers/base/devres.js';
import {
	video_devdata,
	video_device_release_empty,
	video_drvdata,
	video_register_device,
	video_set_drvdata,
	video_unregister_device,
} from '#drivers/media/v4l2-core/v4l2-dev.js';
import { v4l2_device_register, v4l2_device_unregister } from '#drivers/media/v4l2-core/v4l2-device.js';
import { v4l2_fh_add, v4l2_fh_del, v4l2_fh_exit, v4l2_fh_init } from '#drivers/media/v4l2-core/v4l2-fh.js';
import { video_ioctl2 } from '#drivers/media/v4l2-core/v4l2-ioctl.js';
import {
	v4l2_m2m_ctx_init,
	v4l2_m2m_ctx_release,
	v4l2_m2m_fop_mmap,
	v4l2_m2m_init,
	v4l2_m2m_release,
} from '#drivers/media/v4l2-core/v4l2-mem2mem.js';
import { cedrus_device_run } from '#drivers/staging/media/sunxi/cedrus/cedrus_dec.js';
import {
	cedrus_hw_probe,
	cedrus_hw_remove,
	cedrus_hw_resume,
	cedrus_hw_suspend,
	cedrus_watchdog,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_hw.js';
import {
	CEDRUS_CAPABILITY_H264_DEC,
	CEDRUS_CAPABILITY_H265_10_DEC,
	CEDRUS_CAPABILITY_H265_DEC,
	CEDRUS_CAPABILITY_JPEG_DEC,
	CEDRUS_CAPABILITY_MPEG2_DEC,
	CEDRUS_CAPABILITY_UNTILED,
	CEDRUS_CAPABILITY_VP8_DEC,
	CEDRUS_NAME,
	cedrus_ctx,
	cedrus_dev,
	type cedrus_variant,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_types.js';
import {
	cedrus_ioctl_ops,
	cedrus_queue_init,
	cedrus_reset_out_format,
} from '#drivers/staging/media/sunxi/cedrus/cedrus_video.js';
import { VFL_DIR_M2M, VFL_TYPE_VIDEO, type v4l2_file_operations } from '#include/media/v4l2-dev.js';
import { v4l2_err, v4l2_info } from '#include/media/v4l2-device.js';
import type { v4l2_fh } from '#include/media/v4l2-fh.js';
import type { v4l2_m2m_ops } from '#include/media/v4l2-mem2mem.js';
import { V4L2_CAP_STREAMING, V4L2_CAP_VIDEO_M2M } from '#include/uapi/linux/videodev2.js';
import { dev_err } from '#linux/dev_printk.js';
import { IS_ERR, PTR_ERR } from '#linux/err.js';
import { ENOMEM } from '#linux/errno.js';
import type { file } from '#linux/fs.js';
import { GFP_KERNEL } from '#linux/gfp.js';
import type { of_device_id } from '#linux/mod_devicetable.js';
import { mutex_init, mutex_lock, mutex_unlock } from '#linux/mutex.js';
import {
	module_platform_driver,
	type platform_device,
	platform_driver,
	platform_get_drvdata,
	platform_set_drvdata,
} from '#linux/platform_device.js';
import type { dev_pm_ops } from '#linux/pm.js';
import { kfree, kzalloc } from '#linux/slab.js';
import { container_of, type int } from '#linux/types.js';
import { cancel_delayed_work_sync, INIT_DELAYED_WORK } from '#linux/workqueue.js';

function cedrus_open(file: file): int {
	const dev = video_drvdata(file) as cedrus_dev;
	let ret: int;

	mutex_lock(dev.dev_mutex);
	const ctx = kzalloc(cedrus_ctx, GFP_KERNEL);
	if (!ctx) {
		mutex_unlock(dev.dev_mutex);
		return -ENOMEM;
	}
	v4l2_fh_init(ctx.fh, video_devdata(file)!);
	file.private_data = ctx.fh;
	ctx.dev = dev;
	ctx.bit_depth = 8;

	const m2m_ctx = v4l2_m2m_ctx_init(dev.m2m_dev, ctx, cedrus_queue_init);
	if (IS_ERR(m2m_ctx)) {
		ret = PTR_ERR(m2m_ctx);
		v4l2_fh_exit(ctx.fh);
		kfree(ctx);
		mutex_unlock(dev.dev_mutex);
		return ret;
	}
	ctx.fh.m2m_ctx = m2m_ctx;
	cedrus_reset_out_format(ctx);
	v4l2_fh_add(ctx.fh);

	mutex_unlock(dev.dev_mutex);
	return 0;
}

function cedrus_release(file: file): int {
	const dev = video_drvdata(file) as cedrus_dev;
	const ctx = container_of(file.private_data as v4l2_fh, cedrus_ctx);

	mutex_lock(dev.dev_mutex);
	v4l2_fh_del(ctx.fh);
	v4l2_m2m_ctx_release(ctx.fh.m2m_ctx!);
	v4l2_fh_exit(ctx.fh);
	kfree(ctx);
	mutex_unlock(dev.dev_mutex);
	return 0;
}

const cedrus_fops: v4l2_file_operations = {
	open: cedrus_open,
	release: cedrus_release,
	unlocked_ioctl: video_ioctl2,
	mmap: v4l2_m2m_fop_mmap,
};

const cedrus_m2m_ops: v4l2_m2m_ops = {
	device_run: cedrus_device_run,
};

function cedrus_probe(pdev: platform_device): int {
	const dev = devm_kzalloc(pdev.dev, cedrus_dev, GFP_KERNEL);
	if (!dev) return -ENOMEM;

	platform_set_drvdata(pdev, dev);
	dev.dev = pdev.dev;
	dev.pdev = pdev;

	const { vfd } = dev;
	vfd.name = CEDRUS_NAME;
	vfd.vfl_dir = VFL_DIR_M2M;
	vfd.fops = cedrus_fops;
	vfd.ioctl_ops = cedrus_ioctl_ops;
	vfd.minor = -1;
	vfd.release = video_device_release_empty;
	vfd.device_caps = V4L2_CAP_VIDEO_M2M | V4L2_CAP_STREAMING;

	let ret = cedrus_hw_probe(dev);
	if (ret) {
		dev_err(pdev.dev, 'Failed to probe hardware');
		return ret;
	}

	mutex_init(dev.dev_mutex);
	INIT_DELAYED_WORK(dev.watchdog_work, cedrus_watchdog);

	err_hw: {
		ret = v4l2_device_register(pdev.dev, dev.v4l2_dev);
		if (ret) {
			dev_err(pdev.dev, 'Failed to register V4L2 device');
			break err_hw;
		}
		vfd.lock = dev.dev_mutex;
		vfd.v4l2_dev = dev.v4l2_dev;
		video_set_drvdata(vfd, dev);

		err_v4l2: {
			const m2m_dev = v4l2_m2m_init(cedrus_m2m_ops);
			if (IS_ERR(m2m_dev)) {
				v4l2_err(dev.v4l2_dev, 'Failed to initialize V4L2 M2M device');
				ret = PTR_ERR(m2m_dev);
				break err_v4l2;
			}
			dev.m2m_dev = m2m_dev;

			dev.mdev.dev = pdev.dev;
			dev.mdev.model = CEDRUS_NAME;
			dev.mdev.bus_info = `platform:${CEDRUS_NAME}`;
			dev.v4l2_dev.mdev = dev.mdev;

			ret = video_register_device(vfd, VFL_TYPE_VIDEO, 0);
			if (ret) {
				v4l2_err(dev.v4l2_dev, 'Failed to register video device');
				v4l2_m2m_release(dev.m2m_dev);
				break err_v4l2;
			}
			v4l2_info(dev.v4l2_dev, 'Device registered as /dev/video%d', vfd.num);
			return 0;
		}
		v4l2_device_unregister(dev.v4l2_dev);
	}
	cedrus_hw_remove(dev);
	return ret;
}

function cedrus_remove(pdev: platform_device): void {
	const dev = platform_get_drvdata<cedrus_dev>(pdev);

	cancel_delayed_work_sync(dev.watchdog_work);
	v4l2_m2m_release(dev.m2m_dev);
	video_unregister_device(dev.vfd);
	v4l2_device_unregister(dev.v4l2_dev);
	cedrus_hw_remove(dev);
}

const CODECS_A10 = CEDRUS_CAPABILITY_MPEG2_DEC | CEDRUS_CAPABILITY_H264_DEC | CEDRUS_CAPABILITY_VP8_DEC;

const sun4i_a10_cedrus_variant: cedrus_variant = {
	capabilities: CODECS_A10 | CEDRUS_CAPABILITY_JPEG_DEC,
	mod_rate: 320000000,
};

const sun8i_a33_cedrus_variant: cedrus_variant = {
	capabilities: CEDRUS_CAPABILITY_UNTILED | CODECS_A10 | CEDRUS_CAPABILITY_JPEG_DEC,
	mod_rate: 320000000,
};

const sun8i_h3_cedrus_variant: cedrus_variant = {
	capabilities:
		CEDRUS_CAPABILITY_UNTILED | CODECS_A10 | CEDRUS_CAPABILITY_H265_DEC | CEDRUS_CAPABILITY_JPEG_DEC,
	mod_rate: 402000000,
};

const sun8i_r40_cedrus_variant: cedrus_variant = {
	capabilities: CEDRUS_CAPABILITY_UNTILED | CODECS_A10 | CEDRUS_CAPABILITY_JPEG_DEC,
	mod_rate: 297000000,
};

const sun50i_h6_cedrus_variant: cedrus_variant = {
	capabilities:
		CEDRUS_CAPABILITY_UNTILED |
		CODECS_A10 |
		CEDRUS_CAPABILITY_H265_DEC |
		CEDRUS_CAPABILITY_H265_10_DEC |
		CEDRUS_CAPABILITY_JPEG_DEC,
	mod_rate: 600000000,
};

const cedrus_dt_match: readonly of_device_id[] = [
	{ compatible: 'allwinner,sun4i-a10-video-engine', data: sun4i_a10_cedrus_variant },
	{ compatible: 'allwinner,sun5i-a13-video-engine', data: sun4i_a10_cedrus_variant },
	{ compatible: 'allwinner,sun7i-a20-video-engine', data: sun4i_a10_cedrus_variant },
	{ compatible: 'allwinner,sun8i-a33-video-engine', data: sun8i_a33_cedrus_variant },
	{ compatible: 'allwinner,sun8i-h3-video-engine', data: sun8i_h3_cedrus_variant },
	{ compatible: 'allwinner,sun8i-r40-video-engine', data: sun8i_r40_cedrus_variant },
	{ compatible: 'allwinner,sun50i-a64-video-engine', data: sun8i_h3_cedrus_variant },
	{ compatible: 'allwinner,sun50i-h5-video-engine', data: sun8i_h3_cedrus_variant },
	{ compatible: 'allwinner,sun50i-h6-video-engine', data: sun50i_h6_cedrus_variant },
];

const cedrus_dev_pm_ops: dev_pm_ops = {
	runtime_suspend: cedrus_hw_suspend,
	runtime_resume: cedrus_hw_resume,
};

export const cedrus_driver = new platform_driver({
	probe: cedrus_probe,
	remove: cedrus_remove,
	driver: {
		name: CEDRUS_NAME,
		of_match_table: cedrus_dt_match,
		pm: cedrus_dev_pm_ops,
	},
});
module_platform_driver(cedrus_driver);
