# Airflow with this project in it: every service of docker-compose.yaml but the databases runs this image.
FROM apache/airflow:3.3.2

WORKDIR /opt/airflow

# First what seldom changes, so that a change of code does not install anything again.
COPY --chown=airflow:0 docker/missing_requirements.py requirements.txt /tmp/build/
# The base image brings a set of versions that was tested together, so nothing of it is moved: only what it lacks is
# installed, and the build fails where the two do not fit.
RUN pip list --format=freeze > /tmp/installed.txt \
    && python /tmp/build/missing_requirements.py /tmp/build/requirements.txt > /tmp/missing.txt \
    && if [ -s /tmp/missing.txt ]; then \
           pip install --no-cache-dir --constraint /tmp/installed.txt --requirement /tmp/missing.txt; \
       fi
# The official image carries no byte code: each container would compile for itself, which makes its start two to three
# times slower. Some packages ship files that are no Python to this version; they are not imported either.
RUN python -m compileall -q -j 0 "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" > /dev/null || true

COPY --chown=airflow:0 . /opt/airflow/

# Editable, so that `genesys_cloud` is the one copy below plugins/: a second copy in site-packages would win over the
# one that Airflow's plugin shim names. The folders exist for the volumes, which take over their owner.
RUN pip install --no-cache-dir --no-deps --editable . \
    && python -m compileall -q plugins \
    && genesys-cloud --help > /dev/null \
    && mkdir -p exports auth genesys_webhook_spool

USER airflow
