"""The entry point, as the toolkit's README shows it; but its settings go into this folder and not into /etc."""

from sagemaker_inference import model_server

model_server.MMS_CONFIG_FILE = "sagemaker-mms.properties"
model_server.start_model_server()
