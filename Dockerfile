# The service. Build: docker build -t lafd .
# Run: docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -p 127.0.0.1:8000:8000 lafd
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/lafd && /opt/lafd/bin/pip install --no-cache-dir "/source[serve,opencv]"

FROM python:3.13-slim
COPY --from=build /opt/lafd /opt/lafd
USER 10001:10001
ENV PATH="/opt/lafd/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["lafd", "serve", "--host", "0.0.0.0"]
