"""Options of the repositories that people come from, and what does the same here.

Their names are those of the PyTorch repositories of CycleGAN, pix2pix, pix2pixHD and SPADE, old spellings
included, and of common tools.
"""

import re
from collections.abc import Mapping, Set

ELSEWHERE: Mapping[str, str] = {
    "aspect_ratio": "--size WIDTHxHEIGHT resizes the inputs, see i2i translate --help",
    "checkpoints_dir": "--out FOLDER is the run folder",
    "continue_train": "run the same command again: it resumes",
    "dataroot": "the folder is named without an option, after the system: i2i train cyclegan DATA",
    "dataset_mode": "the layout of the folder is recognised; --dry-run says as what",
    "display_freq": "--sample-every STEPS",
    "display_id": "sample sheets are written into the run folder; --tensorboard for curves",
    "epoch_count": "run the same command again: it resumes where it stopped",
    "fine_size": "--crop-size PIXELS",
    "finesize": "--crop-size PIXELS",
    "gan_mode": "--gan-loss lsgan, vanilla, wgangp or hinge",
    "gpu_ids": "--device cuda:0 or cpu for one, --devices N to train on several",
    "how_many": "name the images: i2i translate a.png b.png --model RUN",
    "init_type": "weights start as in each paper; --seed draws others",
    "input_nc": "--channels IN,OUT; without it they are taken from the images",
    "instance_feat": "--features",
    "lambda_a": "--cycle-weight",
    "lambda_b": "--cycle-weight, the same for both directions",
    "lambda_feat": "--matching-weight",
    "lambda_identity": "--identity-weight",
    "lambda_l1": "--l1-weight",
    "load_pretrain": "--init-from RUN",
    "load_iter": "--model RUN/model.safetensors or RUN/best.safetensors",
    "loadsize": "--load-size PIXELS",
    "lr_decay_iters": "--decay-from FRACTION",
    "lr_policy": "the learning rate falls linearly, from --decay-from FRACTION of the training on",
    "m": "--model",
    "max_dataset_size": "--steps or --images bound the length of a training",
    "model": "the system is named first: i2i train cyclegan DATA",
    "n_epochs": "--epochs N for all of them; --decay-from FRACTION says from where the learning rate falls",
    "n_epochs_decay": "--decay-from FRACTION says from where the learning rate falls",
    "n_layers_d": "--num-layers",
    "name": "--out runs/NAME",
    "ndf": "--discriminator-width",
    "netd": "--discriminator patch or pixel, --num-layers",
    "netg": "--generator unet or resnet (pix2pix), --num-blocks, --depth",
    "ngf": "--width",
    "niter": "--epochs N for all of them; --decay-from FRACTION says from where the learning rate falls",
    "niter_decay": "--decay-from FRACTION says from where the learning rate falls",
    "no_dropout": "--dropout 0",
    "no_instance": "--no-instances",
    "no_vgg_loss": "--perceptual-weight 0",
    "num_test": "name the images: i2i translate a.png b.png --model RUN",
    "num_threads": "--workers N threads read images, --threads N compute",
    "ntest": "name the images: i2i translate a.png b.png --model RUN",
    "output_nc": "--channels IN,OUT; without it they are taken from the images",
    "phase": "the folders train, val and test are told apart by their names",
    "print_freq": "--log-every STEPS",
    "resize_or_crop": "--preprocess",
    "results_dir": "--out FOLDER",
    "resume": "run the same command again: it resumes",
    "save_epoch_freq": "--save-every TIME, such as 10m",
    "save_latest_freq": "--save-every TIME, such as 10m",
    "serial_batches": "the order follows from --seed",
    "use_wandb": "--wandb",
    "which_direction": "--direction AtoB or BtoA",
    "which_epoch": "--model RUN/model.safetensors or RUN/best.safetensors",
    "which_model_netd": "--discriminator patch or pixel, --num-layers",
    "which_model_netg": "--generator unet or resnet (pix2pix), --num-blocks, --depth",
}
"""By name, without dashes, in lower case and with underscores: what to type."""


_OPTION = re.compile(r"--[a-z][a-z0-9-]+")


def answer(option: str, known: Set[str]) -> str | None:
    """What does here what an unknown option does elsewhere; None if this command has no such thing.

    option: as it was typed, with its dashes; known: the options of the command.
    """
    name = option.lstrip("-").split("=")[0].lower().replace("-", "_")
    spelled = "--" + name.replace("_", "-")
    if spelled in known:
        return spelled
    advice = ELSEWHERE.get(name, "")
    advised = _OPTION.findall(advice)
    return advice if advice and (not advised or not known.isdisjoint(advised)) else None
