# vsr_lab on a machine with an NVIDIA GPU. NOT RUN: written without a Docker daemon at hand.
#
#   docker build -t vsr-lab .
#   docker run --rm --gpus all --shm-size 8g -v "$PWD/footage:/footage:ro" -v "$PWD/results:/app/results" \
#     vsr-lab train content=live_action data.root=/footage
#
# The PyTorch wheels bring CUDA; the host needs its driver and the NVIDIA container toolkit. --shm-size is for the data
# workers, which hand batches over in shared memory.
FROM python:3.11-slim-bookworm

# g++ is for compile=true.
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/vsr_lab
# Requirements first: they change less often than the code and take minutes.
COPY requirements.lock ./
RUN pip install --no-cache-dir -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY configs configs
COPY vsr_lab vsr_lab
RUN pip install --no-cache-dir --no-deps .

# Not as root: files in the mounted results belong to this user's id.
RUN useradd --create-home --uid 1000 vsr && mkdir -p /app/results && chown -R vsr /app
USER vsr
WORKDIR /app
ENTRYPOINT ["vsr-lab"]
CMD ["--help"]
