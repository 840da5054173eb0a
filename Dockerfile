# Airflow with this project in it: every service of docker-compose.yaml but the databases runs this image.
FROM apache/airflow:3.3.2

WORKDIR /opt/airflow

# First what seldom changes, so that a change of code does not install anything again.
COPY --chown=airflow:0 docker/missing_requirements.py requirements.txt /tmp/build/
# The base image brings a set of versions that was tested together, so nothing of it is moved: only what it lacks is
# installed, and the resolver fails the build where the two do not fit.
RUN pip freeze --exclude-editable > /tmp/installed.txt \
    && python /tmp/build/missing_requirements.py /tmp/build/requirements.txt > /tmp/missing.txt \
    && if [ -s /tmp/missing.txt ]; then \
           pip install --no-cache-dir --constraint /tmp/installed.txt --requirement /tmp/missing.txt; \
       fi

COPY --chown=airflow:0 . /opt/airflow/

# Editable, so that `genesys_cloud` is the one copy below plugins/: a second copy in site-packages would win over the
# one that Airflow's plugin shim names. The folders exist for the volumes, which take over their owner.
# Compiled here, or each container would compile for itself at its start.
RUN pip install --no-cache-dir --no-deps --editable . \
    && python -m compileall -q plugins \
    && genesys-cloud --help > /dev/null \
    && mkdir -p exports auth

USER airflow
