"""The algorithms: plain functions on frames and matrices that know nothing of dbt."""

# dbt loads models on several threads. scikit-learn's modules import each other in circles, and a
# second thread may see one half made; loaded here, all others wait until they are complete.
import sklearn.cluster
import sklearn.ensemble
import sklearn.feature_extraction.text
import sklearn.utils.extmath  # noqa: F401
