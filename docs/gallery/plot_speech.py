"""
Speech: vowels, frame by frame
==============================

A toy. Three made-up speakers say five vowels: pulses through four resonances (formants). The frames of their
spectrograms are the rows of a table, with the vowel, the speaker and the time in the vowel as further columns. New
frames are drawn and made audible again.
"""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.io import wavfile
from scipy.signal import istft, lfilter, stft
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from skgmmgan import GMMGAN

RATE, WINDOW, HOP = 8000, 256, 64
FORMANTS = {  # Hz, as of a male speaker
    "a": [730, 1090, 2440, 3400],
    "e": [530, 1840, 2480, 3400],
    "i": [270, 2290, 3010, 3600],
    "o": [570, 840, 2410, 3400],
    "u": [300, 870, 2240, 3400],
}
SPEAKERS = {"low": (100, 1.0), "middle": (150, 1.07), "high": (210, 1.15)}  # pitch in Hz, scale of the formants


def say(vowel, speaker, rng, seconds=0.4):
    """Sound of a vowel: pulses whose pitch falls, through one resonator a formant."""
    pitch, scale = SPEAKERS[speaker]
    time = np.arange(int(seconds * RATE)) / RATE
    phase = np.cumsum(pitch * (1 + 0.005 * rng.normal()) * (1.02 - 0.04 * time / seconds)) / RATE
    sound = lfilter([1], [1, -1.8, 0.81], np.diff(np.floor(phase), prepend=0) + 0.002 * rng.normal(size=len(time)))
    for number, formant in enumerate(FORMANTS[vowel]):
        angle = 2 * np.pi * formant * scale * (1 + 0.02 * rng.normal()) / RATE
        radius = np.exp(-np.pi * (60 + 40 * number) / RATE)
        denominator = [1, -2 * radius * np.cos(angle), radius**2]
        sound = lfilter([sum(denominator)], denominator, sound)
    sound = np.diff(sound, prepend=0) * np.sin(np.pi * time / seconds) ** 0.5
    return sound / np.abs(sound).max()


def log_frames(sound):
    """Logarithms of the magnitudes, one row a frame, not more than 60 dB below the loudest."""
    magnitude = np.abs(stft(sound, RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)[2]).T
    return np.log(np.maximum(magnitude, 1e-3 * magnitude.max()))


# %%
# Frames as rows
# --------------
# A frame has 129 magnitudes, of which 20 principal components are kept.

rng = np.random.default_rng(0)
sounds = [(vowel, speaker) for vowel in FORMANTS for speaker in SPEAKERS] * 2
utterances = [(vowel, speaker, log_frames(say(vowel, speaker, rng))) for vowel, speaker in sounds]
labels = pd.DataFrame(
    [(vowel, speaker, t) for vowel, speaker, frames in utterances for t in np.linspace(0, 1, len(frames)).round(3)],
    columns=["vowel", "speaker", "time"],
)
frames = np.concatenate([frames for _, _, frames in utterances])
pca = PCA(20, random_state=0).fit(frames)
table = pd.concat([labels, pd.DataFrame(pca.transform(frames)).add_prefix("part ")], axis=1)
print(f"{table.shape[0]} rows of {table.shape[1]} columns; variance kept: {pca.explained_variance_ratio_.sum():.1%}")

# %%
# The model draws each frame alone, given vowel, speaker and time. Frames of one sound know nothing of one another, so
# three neighbours are averaged afterwards.

model = GMMGAN(n_components=15, hidden_layer_sizes=128, max_epochs=5, adversarial_rounds=0, random_state=0).fit(table)
times = np.unique(table["time"])


def draw(vowel, speaker, seed):
    """New frames of one sound, (n_frames, 129)."""
    given = pd.DataFrame({"vowel": vowel, "speaker": speaker, "time": times})
    rows, _ = model.sample(1, conditions=given, random_state=seed)
    frames = pca.inverse_transform(rows.filter(like="part").to_numpy())
    return np.apply_along_axis(np.convolve, 0, np.pad(frames, ((1, 1), (0, 0)), mode="edge"), np.ones(3) / 3, "valid")


# %%
# Sound again
# -----------
# A magnitude has no phase. Griffin and Lim's algorithm starts from random phases and takes those of the spectrogram
# that the sound really has, again and again.


def resynthesize(log_magnitude, rng, n_iter=30):
    """Sound whose spectrogram has about these magnitudes."""
    magnitude = np.exp(log_magnitude).T
    spectrum = magnitude * np.exp(2j * np.pi * rng.random(magnitude.shape))
    for _ in range(n_iter):
        _, sound = istft(spectrum, RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
        phase = np.angle(stft(sound, RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)[2])
        spectrum = magnitude * np.exp(1j * phase[:, : magnitude.shape[1]])
    return sound / np.abs(sound).max()


class Audio:
    """A sound that a page or notebook can play."""

    def __init__(self, sound):
        self.sound = sound

    def _repr_html_(self):
        file = io.BytesIO()
        wavfile.write(file, RATE, np.int16(30_000 * self.sound))
        data = base64.b64encode(file.getvalue()).decode()
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'


# %%
# The middle speaker says a, e, i, o, u, as the synthesizer makes it:

original = {vowel: say(vowel, "middle", rng) for vowel in FORMANTS}
Audio(np.concatenate([*original.values()]))

# %%
# The same sounds, their magnitudes alone, with phases by Griffin and Lim. What is worse here is no fault of the model:

Audio(np.concatenate([resynthesize(log_frames(sound), rng) for sound in original.values()]))

# %%
# And frames that the model drew:

drawn = {vowel: draw(vowel, "middle", seed) for seed, vowel in enumerate(FORMANTS)}
made = {vowel: resynthesize(frames, rng) for vowel, frames in drawn.items()}
Audio(np.concatenate([*made.values()]))

# %%
# Spectrograms of the original and of the drawn and resynthesized sounds, both measured from sound.

figure, axes = plt.subplots(2, 5, figsize=(12, 5), sharex=True, sharey=True, layout="constrained")
for row, (name, sounds) in zip(axes, {"original": original, "drawn": made}.items()):
    for ax, (vowel, sound) in zip(row, sounds.items()):
        level = 20 / np.log(10) * log_frames(sound).T
        image = ax.imshow(level - level.max(), origin="lower", aspect="auto", extent=(0, 0.4, 0, RATE / 2), vmin=-60)
        ax.set_title(f"{name}: {vowel}", fontsize=10)
    row[0].set_ylabel("Hz")
for ax in axes[1]:
    ax.set_xlabel("s")
_ = figure.colorbar(image, ax=axes, label="dB", shrink=0.6)

# %%
# Is the vowel still there?
# -------------------------
# A linear classifier learns vowels from the real frames, of all speakers. It is asked for the vowel of the frames of
# the sounds above, none of which it has learned from; those that were drawn are measured again after resynthesis.

ear = LinearDiscriminantAnalysis().fit(pca.transform(frames), table["vowel"])
for name, sounds in {"original": original, "drawn": made}.items():
    right = [np.mean(ear.predict(pca.transform(log_frames(sound))) == vowel) for vowel, sound in sounds.items()]
    print(f"{name}: {np.mean(right):.0%} of the frames are taken for the right vowel")

# %%
# Limits
# ------
# These are steady vowels of a synthesizer, not speech. Frames that are drawn one by one share no melody and no
# movement, of which real speech consists; a model of sound for real use learns sequences.
