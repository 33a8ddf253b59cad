"""Settings files in the form of RadioDiff's original program."""

AUTOENCODER = """
model:
  embed_dim: 3
  lossconfig: {disc_start: 50001, kl_weight: 0.000001, disc_weight: 0.5, disc_in_channels: 1}
  ddconfig:
    double_z: True
    z_channels: 3
    resolution: [320, 320]
    in_channels: 1
    out_ch: 1
    ch: 128
    ch_mult: [1, 2, 4]
    num_res_blocks: 2
    attn_resolutions: []
    dropout: 0.0
  ckpt_path:
data: {name: radio, batch_size: 2}
trainer:
  gradient_accumulate_every: 2
  lr: !!float 5e-6
  min_lr: 5e-7
  train_num_steps: 150000
  save_and_sample_every: 5000
  log_freq: 100
  results_folder: ./results
  amp: False
  fp16: False
"""
"""Like first_radio.yaml."""

RESUMED = (
    AUTOENCODER.replace("ckpt_path:", "ckpt_path: weights/model-7.pt")
    .replace("every: 2\n", "every: 1\n")
    .replace("  amp:", "  enable_resume: True\n  resume_milestone: 7\n  amp:")
)
"""Like first_radio_m.yaml."""

DIFFUSION = """
model:
  model_type: const_sde
  model_name: cond_unet
  image_size: [320, 320]
  input_keys: [image, cond]
  ignore_keys: []
  only_model: False
  timesteps: 1000
  train_sample: -1
  sampling_timesteps: 1
  loss_type: l2
  objective: pred_KC
  start_dist: normal
  perceptual_weight: 0
  scale_factor: 0.3
  scale_by_std: True
  default_scale: True
  scale_by_softsign: False
  eps: !!float 1e-4
  weighting_loss: True
  use_disloss: True
  use_l1: True
  ckpt_path:
  first_stage:
    embed_dim: 3
    lossconfig: {disc_start: 50001, kl_weight: 0.000001, disc_weight: 0.5, disc_in_channels: 1}
    ddconfig:
      double_z: True
      z_channels: 3
      resolution: [320, 320]
      in_channels: 1
      out_ch: 1
      ch: 128
      ch_mult: [1, 2, 4]
      num_res_blocks: 2
      attn_resolutions: []
      dropout: 0.0
    ckpt_path: weights/model-29.pt
  unet:
    dim: 128
    cond_net: swin
    fix_bb: False
    without_pretrain: False
    channels: 3
    out_mul: 1
    dim_mults: [1, 2, 4, 4]
    cond_in_dim: 3
    cond_dim: 128
    cond_dim_mults: [2, 4]
    window_sizes1: [[8, 8], [4, 4], [2, 2], [1, 1]]
    window_sizes2: [[8, 8], [4, 4], [2, 2], [1, 1]]
    fourier_scale: 16
    cond_pe: False
    num_pos_feats: 128
    cond_feature_size: [80, 80]
    input_size: [80, 80]
    DPMCARK: False
data: {name: radio, batch_size: 66}
trainer:
  gradient_accumulate_every: 8
  lr: !!float 5e-5
  min_lr: !!float 5e-6
  train_wd: 1e-4
  train_num_steps: 50000
  save_and_sample_every: 200
  enable_resume: False
  log_freq: 1000
  results_folder: ./results_ldm
  amp: False
  fp16: False
  resume_milestone: 0
  test_before: True
  ema_update_after_step: 10000
  ema_update_every: 10
finetune: {ckpt_path: weights/model-20.pt}
sampler:
  sample_type: slide
  stride: [240, 240]
  use_ema: True
"""
"""Like radio_train.yaml, with what its variants have."""

DIFFUSION_VARIANTS = {
    "diffusion": DIFFUSION,
    "edges": DIFFUSION.replace("{name: radio,", "{name: edge, image_size: [320, 320], threshold: 0.3, img_folder: x,"),
    "rooms": DIFFUSION.replace("{name: radio,", "{name: multi_condition_icassp2025, tx_margin: 8, pin_memory: True,"),
    "new": DIFFUSION + "extra: {deep: [1]}\n",
}
"""Others of diffusion models."""

BUILDING = """
model:
  embed_dim: 2
  lossconfig: {disc_start: 50001, kl_weight: 0.000001, disc_weight: 0.5, disc_in_channels: 2}
  ddconfig: {double_z: True, z_channels: 2, resolution: [96, 96], in_channels: 2, out_ch: 2, ch: 64, ch_mult: [1, 2, 4],
             num_res_blocks: 2, attn_resolutions: [], dropout: 0.0}
  ckpt_path: null
data: {name: icassp2025_building, data_root: ./rooms, batch_size: 16, crop_size: 96, tx_margin: 10, vae_type: building}
trainer:
  gradient_accumulate_every: 2
  lr: !!float 5e-6
  min_lr: !!float 5e-7
  train_num_steps: 150000
  save_and_sample_every: 5000
  log_freq: 100
  results_folder: ./results
  amp: False
  fp16: False
  vae_type: building
"""
"""An indoor one."""

EDGES = """
model:
  embed_dim: 3
  lossconfig: {disc_start: 50001, kl_weight: 0.000001, disc_weight: 0.5, disc_in_channels: 1}
  ddconfig: {double_z: True, z_channels: 3, resolution: [320, 320], in_channels: 1, out_ch: 1, ch: 128,
             ch_mult: [1, 2, 4], num_res_blocks: 2, attn_resolutions: [], dropout: 0.0}
  ckpt_path: ''
data: {name: edge, batch_size: 8, data_root: ./edges, image_size: [320, 320], threshold: 0.3, use_uncertainty: False,
       augment_horizontal_flip: True, crop_type: rand_crop}
trainer: {gradient_accumulate_every: 1, lr: 5e-6, min_lr: 5e-7, train_num_steps: 150000, save_and_sample_every: 5000,
          log_freq: 100, results_folder: ./edge_results, resume_milestone: 0, amp: False, fp16: False,
          enable_resume: True}
"""
"""One of edges."""

MULTI = """
model:
  name: MultiConditionVAE
  embed_dim: 3
  lossconfig: {disc_start: 50001, kl_weight: 0.000001, disc_weight: 0.5, disc_in_channels: 1}
  ddconfig: {double_z: True, z_channels: 3, resolution: [320, 320], in_channels: 1, out_ch: 1, ch: 128,
             ch_mult: [1, 2, 4], num_res_blocks: 2, attn_resolutions: [], dropout: 0.0}
data: {name: multi_condition_icassp2025, dataset_root: ./rooms, batch_size: 16, num_workers: 4, pin_memory: True}
trainer: {gradient_accumulate_every: 3, lr: 5e-6, min_lr: 5e-7, train_num_steps: 150000, save_and_sample_every: 5000,
          log_freq: 100, results_folder: ./results, amp: True, fp16: False}
architecture: {vae_approach: single}
"""
"""The indoor one with several conditions."""
