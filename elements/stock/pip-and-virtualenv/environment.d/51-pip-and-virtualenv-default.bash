export DIB_INSTALLTYPE_pip_and_virtualenv="${DIB_INSTALLTYPE_pip_and_virtualenv:-package}"
if [ "$DIB_INSTALLTYPE_pip_and_virtualenv" = source ]; then
    export DIB_PYTHON_PIP="${DIB_PYTHON_PIP:-pip}"
    export DIB_PYTHON_VIRTUALENV="${DIB_PYTHON_VIRTUALENV:-virtualenv}"
else
    export DIB_PYTHON_PIP="${DIB_PYTHON_PIP:-pip3}"
    export DIB_PYTHON_VIRTUALENV="${DIB_PYTHON_VIRTUALENV:-python3 -m virtualenv}"
fi
