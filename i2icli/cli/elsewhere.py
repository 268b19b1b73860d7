"""Options and commands of the repositories that people come from, and what does the same here.

Their names are those of the PyTorch repositories of CycleGAN, pix2pix, pix2pixHD, SPADE and StarGAN, old
spellings included, and of common tools.
"""

import re
from collections.abc import Mapping, Set

_SHOWN = "report.html in the run folder shows samples and curves; --tensorboard sends them there, too"
_DIRECTION = "a model of pairs holds it; of others, --to DOMAIN chooses what comes out"
_HELD = "the model holds it; no option of the training has to be repeated"
_RESIZED = "--size PIXELS resizes the inputs"
_RESUMED = (
    "the same command resumes from the newest state; --init-from RUN/model.safetensors starts anew from "
    "weights"
)
_WEIGHTS = "--weights best or last, or the file itself: --model RUN/model.safetensors"

ELSEWHERE: Mapping[str, str] = {
    "aspect_ratio": "--size WIDTHxHEIGHT resizes the inputs, see i2i translate --help",
    "beta1": "--betas BETA1,BETA2",
    "c_dim": "domains and attributes are taken from the data; --dry-run says which",
    "checkpoints_dir": "--out FOLDER is the run folder",
    "continue_train": "run the same command again: it resumes",
    "d_conv_dim": "--discriminator-width",
    "dataroot": "the folder is named without an option, after the system: i2i train cyclegan DATA",
    "dataset_mode": "the layout of the folder is recognised; --dry-run says as what",
    "display_env": _SHOWN,
    "display_freq": "--sample-every STEPS",
    "display_id": _SHOWN,
    "display_ncols": _SHOWN,
    "display_port": _SHOWN,
    "display_server": _SHOWN,
    "display_winsize": _SHOWN,
    "epoch_count": "run the same command again: it resumes where it stopped",
    "fine_size": "--crop-size PIXELS",
    "finesize": "--crop-size PIXELS",
    "fp16": "--precision fp16",
    "g_conv_dim": "--width",
    "gan_mode": "--gan-loss lsgan, vanilla, wgangp or hinge",
    "gpu_ids": "--device cuda:0 or cpu for one, --devices N to train on several",
    "how_many": "name the images: i2i translate a.png b.png --model RUN",
    "image_size": "--crop-size PIXELS",
    "init_gain": "weights start as in each paper; --seed draws others",
    "init_type": "weights start as in each paper; --seed draws others",
    "input_nc": "--channels IN,OUT; without it they are taken from the images",
    "instance_feat": "--features",
    "label_nc": "--classes; without it they are taken from the label maps",
    "lambda_a": "--cycle-weight",
    "lambda_b": "--cycle-weight, the same for both directions",
    "lambda_feat": "--matching-weight",
    "lambda_identity": "--identity-weight",
    "lambda_l1": "--l1-weight",
    "lambda_vgg": "--perceptual-weight",
    "load_iter": _RESUMED,
    "load_pretrain": "--init-from RUN",
    "loadsize": "--load-size PIXELS",
    "lr_decay_iters": "--decay-from FRACTION",
    "lr_policy": "the learning rate falls linearly, from --decay-from FRACTION of the training on",
    "m": "--model",
    "max_dataset_size": "--steps or --images bound the length of a training",
    "model": "the system is named first: i2i train cyclegan DATA",
    "n_critic": "--critic-steps",
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
    "no_ganfeat_loss": "--matching-weight 0",
    "no_html": _SHOWN,
    "no_instance": "--no-instances",
    "no_vgg_loss": "--perceptual-weight 0",
    "ntest": "name the images: i2i translate a.png b.png --model RUN",
    "nthreads": "--workers N threads read images, --threads N compute",
    "num_iters": "--steps",
    "num_test": "name the images: i2i translate a.png b.png --model RUN",
    "num_threads": "--workers N threads read images, --threads N compute",
    "output_nc": "--channels IN,OUT; without it they are taken from the images",
    "phase": "the folders train, val and test are told apart by their names",
    "preprocess_mode": "--preprocess",
    "print_freq": "--log-every STEPS",
    "resize_or_crop": "--preprocess",
    "results_dir": "--out FOLDER",
    "resume": "run the same command again: it resumes",
    "save_by_iter": "--save-every TIME, such as 10m",
    "save_epoch_freq": "--save-every TIME, such as 10m",
    "save_latest_freq": "--save-every TIME, such as 10m",
    "serial_batches": "the order follows from --seed",
    "tf_log": "--tensorboard",
    "update_html_freq": _SHOWN,
    "use_vae": "--vae",
    "use_wandb": "--wandb",
    "which_direction": "--direction AtoB or BtoA",
    "which_epoch": _RESUMED,
    "which_model_netd": "--discriminator patch or pixel, --num-layers",
    "which_model_netg": "--generator unet or resnet (pix2pix), --num-blocks, --depth",
}
"""By name, without dashes, in lower case and with underscores: what to type."""

WITH_A_MODEL: Mapping[str, str] = {
    "checkpoints_dir": "--model FOLDER/NAME",
    "crop_size": _RESIZED,
    "dataroot": "the images are named without an option: i2i translate IMAGES --model RUN",
    "direction": _DIRECTION,
    "epoch": _WEIGHTS,
    "eval": "there is one mode; what is drawn at random follows from --seed",
    "fine_size": _RESIZED,
    "finesize": _RESIZED,
    "input_nc": _HELD,
    "load_iter": _WEIGHTS,
    "load_size": _RESIZED,
    "loadsize": _RESIZED,
    "model_suffix": "--to DOMAIN chooses the direction",
    "name": "--model runs/NAME",
    "netg": _HELD,
    "ngf": _HELD,
    "no_dropout": _HELD,
    "no_flip": "nothing is flipped or cropped at random here",
    "norm": _HELD,
    "output_nc": _HELD,
    "phase": "name the folder: i2i translate DATA/test --model RUN",
    "preprocess": _RESIZED,
    "resize_or_crop": _RESIZED,
    "which_direction": _DIRECTION,
    "which_epoch": _WEIGHTS,
    "which_model_netg": _HELD,
}
"""The same for commands that use what was trained, where their answers differ."""

COMMANDS: Mapping[str, str] = dict.fromkeys(
    ("infer", "inference", "predict", "test"), "i2i translate IMAGES --model RUN"
)
"""By the names of commands elsewhere: what to type."""


_OPTION = re.compile(r"--[a-z][a-z0-9-]+")


def answer(option: str, known: Set[str]) -> str | None:
    """What does here what an unknown option does elsewhere; None if this command has no such thing.

    option: as it was typed, with its dashes; known: the options of the command.
    """
    name = option.lstrip("-").split("=")[0].lower().replace("-", "_")
    spelled = "--" + name.replace("_", "-")
    if spelled in known:
        return spelled
    applies = {"--model", "--weights"} <= known
    advice = (applies and WITH_A_MODEL.get(name)) or ELSEWHERE.get(name, "")
    advised = _OPTION.findall(advice)
    return advice if advice and (not advised or not known.isdisjoint(advised)) else None
